"""Calls to PayPal, and whose turn it is when one fails.

https://developer.paypal.com/api/rest/responses/ (read November 2026).
"""

import html
import threading
import time
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import requests

from billing.gateways.base import GatewayRefused, Unavailable

# Seconds to connect and to wait for the next byte.
TIMEOUT_SECONDS = (5, 15)
# A token is dropped this long before it ends.
MARGIN_SECONDS = 60
PAGE = 100
# PayPal's own limit for a search.
MOST_LISTED = 10_000
# Refusals that say nothing about the outcome: the same is being done, or was done before.
UNSURE = {"PREVIOUS_REQUEST_IN_PROGRESS", "DUPLICATE_INVOICE_ID", "DUPLICATE_REQUEST_ID"}


class Refusal(GatewayRefused):
    """PayPal says for certain that nothing was done; `issue` is its word for why, `name` for what
    kind of refusal it is.
    """

    def __init__(self, status: int, issue: str, debug_id: str, name: str = "") -> None:
        super().__init__(f"status {status}: {issue or 'no issue'}, {debug_id or 'no debug id'}")
        self.status = status
        self.issue = issue
        self.name = name or issue


class Client:
    """One account's connection. Tokens are kept for this process until they end."""

    _tokens: dict[tuple[str, str], tuple[str, float]] = {}
    _lock = threading.Lock()

    def __init__(self, base: str, client_id: str, secret: str) -> None:
        self._base = base
        self._client_id = client_id
        self._secret = secret

    @classmethod
    def forget_tokens(cls) -> None:
        """Drop what this process keeps."""
        with cls._lock:
            cls._tokens.clear()

    def get(self, path: str, **params: Any) -> dict[str, Any]:
        """Read. Raises Unavailable, Refusal."""
        return self._call("GET", path, params=params)

    def post(self, path: str, asked: Mapping[str, Any], *, key: str) -> dict[str, Any]:
        """Do something once per key. Raises Unavailable (perhaps done), Refusal."""
        headers = {"PayPal-Request-Id": key, "Prefer": "return=representation"}
        return self._call("POST", path, json=asked, headers=headers)

    def delete(self, path: str) -> None:
        """Remove. Raises Unavailable (perhaps done), Refusal."""
        self._call("DELETE", path)

    def every(self, path: str, name: str, **params: Any) -> Iterator[dict[str, Any]]:
        """Every item of a paged list called `name`. Raises Unavailable, Refusal."""
        number, left = 1, MOST_LISTED
        while left > 0:
            page = self.get(path, page=number, page_size=PAGE, **params)
            items = page.get(name) or []
            if not isinstance(items, list):
                raise Unavailable("a list that is none")
            yield from items[:left]
            left -= len(items)
            number += 1
            if number > int(page.get("total_pages") or 0) or not items:
                return

    def linked(self, path: str, name: str, **params: Any) -> Iterator[dict[str, Any]]:
        """Every item of a list whose pages name the next one. Raises Unavailable, Refusal.

        A page may have fewer items than it was asked for and still name the next one:
        https://developer.paypal.com/docs/api/webhooks/v1/#webhooks-events_list
        """
        asked, left = {"page_size": PAGE, **params}, MOST_LISTED
        while asked and left > 0:
            page = self.get(path, **asked)
            items, links = page.get(name) or [], page.get("links") or []
            if not isinstance(items, list) or not isinstance(links, list):
                raise Unavailable("a list that is none")
            yield from items[:left]
            left -= len(items)
            after = next((str(each.get("href")) for each in links if each.get("rel") == "next"), "")
            # Only what it asks for is taken over: we speak to nobody else. PayPal's examples have
            # it escaped as in a page.
            asked = dict(parse_qsl(urlsplit(html.unescape(after)).query)) if items else {}

    def _call(self, method: str, path: str, **options: Any) -> dict[str, Any]:
        headers = options.pop("headers", {})
        answer = self._send(method, path, headers=headers | self._authorised(), **options)
        if answer.status_code == 401:
            # Nothing was done: the token had ended. A fresh one is asked for once.
            with self._lock:
                self._tokens.pop((self._base, self._client_id), None)
            answer = self._send(method, path, headers=headers | self._authorised(), **options)
        return _judged(answer)

    def _authorised(self) -> dict[str, str]:
        place = (self._base, self._client_id)
        with self._lock:
            token, until = self._tokens.get(place, ("", 0))
        if not token or time.monotonic() >= until:
            token = self._fresh_token(place)
        return {"Authorization": f"Bearer {token}"}

    def _fresh_token(self, place: tuple[str, str]) -> str:
        answer = self._send(
            "POST",
            "/v1/oauth2/token",
            data={"grant_type": "client_credentials"},
            auth=(self._client_id, self._secret),
        )
        found = _judged(answer)
        token, seconds = found.get("access_token"), found.get("expires_in")
        if not isinstance(token, str) or not isinstance(seconds, int):
            raise Unavailable("no token in the answer")
        with self._lock:
            self._tokens[place] = (token, time.monotonic() + seconds - MARGIN_SECONDS)
        return token

    def _send(self, method: str, path: str, **options: Any) -> requests.Response:
        try:
            with requests.Session() as session:
                session.trust_env = False
                return session.request(
                    method,
                    self._base + path,
                    timeout=TIMEOUT_SECONDS,
                    allow_redirects=False,
                    **options,
                )
        except requests.RequestException as error:
            raise Unavailable(type(error).__name__) from error


def _judged(answer: requests.Response) -> dict[str, Any]:
    """Tell yes and a certain no apart; whatever is neither leaves the outcome unknown."""
    if answer.status_code == 204:
        return {}
    try:
        content = answer.json()
    except (requests.RequestException, ValueError, RecursionError) as error:
        raise Unavailable(f"status {answer.status_code} without JSON") from error
    if not isinstance(content, dict):
        raise Unavailable(f"status {answer.status_code} without an object")
    if answer.status_code in {200, 201}:
        return content
    issue = _issue(content)
    if answer.status_code in {400, 401, 403, 404, 405, 409, 422} and issue and issue not in UNSURE:
        debug_id, name = str(content.get("debug_id", ""))[:40], str(content.get("name", ""))[:80]
        raise Refusal(answer.status_code, issue, debug_id, name)
    raise Unavailable(f"status {answer.status_code}: {issue or 'no issue'}")


def _issue(content: Mapping[str, Any]) -> str:
    details = content.get("details")
    first = details[0] if isinstance(details, list) and details else None
    issue = first.get("issue") if isinstance(first, dict) else None
    found = issue or content.get("name") or content.get("error")
    return found[:80] if isinstance(found, str) else ""
