"""Bytes to and from one server: one POST on a fresh connection, never retried, never redirected."""

from __future__ import annotations

import html
import json
import time
from collections.abc import Mapping as Arguments
from dataclasses import dataclass, field
from urllib.parse import quote_plus

import requests
from urllib3.exceptions import HTTPError

from provisioning.dialler.errors import Misconfigured, NotAllowed, NotSent, Unknown
from provisioning.dialler.flight import Flight, FlightAdapter
from provisioning.dialler.mapping_parts import Pairs
from provisioning.dialler.values import Endpoint

ANSWER_BYTES = 1024 * 1024
CHUNK_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back, complete and within the limits. `secrets` must not be seen in what we say
    about it.
    """

    status: int
    text: str
    secrets: tuple[str, ...] = field(default=(), repr=False)

    def quote(self, text: str | None = None) -> str:
        """Return the text (the whole answer when none is given) without our secrets in it."""
        return without_secrets(self.text if text is None else text, self.secrets)


def post(
    endpoint: Endpoint, method: str, arguments: Arguments[str, str], *, secrets: tuple[str, ...]
) -> Answer:
    """POST the form fields to `{base_url}/{method}` and return the complete answer, whatever its
    status.

    Raises NotSent if not one byte left, Misconfigured if none ever could (address not allowed, or
    address, token or CA file unusable), Unknown if the answer did not arrive whole within
    `exchange_timeout_seconds` and 1 MiB. The transport is documented at
    https://www.ictbroadcast.com/documents/REST-API.html.
    """
    hidden, forbidden = (endpoint.secret, *secrets), ""
    try:
        endpoint.reach.demand_url(endpoint.base_url)
        with (
            Flight(min(endpoint.exchange_timeout_seconds, _left(endpoint))) as flight,
            _session(endpoint, flight) as session,
        ):
            response = session.post(
                url_of(endpoint, method),
                data=dict(request_of(endpoint, arguments)[1]),
                timeout=(endpoint.connect_timeout_seconds, endpoint.read_timeout_seconds),
                allow_redirects=False,
                stream=True,
            )
            answer = Answer(response.status_code, _text(response, flight), hidden)
    except NotAllowed as caught:
        forbidden = caught.reason
    except (requests.RequestException, HTTPError, OSError, ValueError) as caught:
        problem, hopeless = type(caught).__name__, _is_hopeless(caught)
    else:
        return answer
    # Not inside the handler: the library's exception carries the request and so the password.
    if forbidden:
        raise NotAllowed(forbidden)
    if flight.sent:
        raise Unknown(f"No complete answer arrived ({problem}).")
    if hopeless:
        raise Misconfigured(f"The address, the token or the CA file cannot be used ({problem}).")
    raise NotSent(f"The server was not reached ({problem}).")


def url_of(endpoint: Endpoint, method: str) -> str:
    return f"{endpoint.base_url.rstrip('/')}/{method}"


def request_of(endpoint: Endpoint, arguments: Arguments[str, str]) -> tuple[Pairs, Pairs]:
    """Return the headers and the form fields of a request, our login among them."""
    fields = tuple({**_login(endpoint), **arguments}.items())
    if endpoint.auth == "bearer":
        return (("Authorization", f"Bearer {endpoint.secret}"),), fields
    return (), fields


def _left(endpoint: Endpoint) -> float:
    return max(0.0, endpoint.ends_at - time.monotonic())


class _Session(requests.Session):
    """No proxies, logins or certificates from the environment; a redirect is an answer like any
    other.
    """

    def get_redirect_target(self, resp: requests.Response) -> None:
        # With a target, requests would read the answer's body itself, without our limits.
        return None


def _session(endpoint: Endpoint, flight: Flight) -> requests.Session:
    session = _Session()
    session.trust_env = False
    session.verify = endpoint.ca_file or True
    session.headers.update(
        {"User-Agent": "Castfront", "Accept-Encoding": "identity", "Connection": "close"}
    )
    session.headers.update(request_of(endpoint, {})[0])
    for scheme in ("https://", "http://"):
        session.mount(scheme, FlightAdapter(flight, endpoint.reach))
    return session


def _login(endpoint: Endpoint) -> dict[str, str]:
    """The three variants seen; HTTP Basic is answered 401 everywhere (n8n-nodes-ictbroadcast,
    2026-08).
    """
    if endpoint.auth == "bearer":
        return {}
    prefix = "api_" if endpoint.auth == "form_legacy" else ""
    return {f"{prefix}username": endpoint.username, f"{prefix}password": endpoint.secret}


def _text(response: requests.Response, flight: Flight) -> str:
    body = bytearray()
    while chunk := response.raw.read1(CHUNK_BYTES, decode_content=True):
        body += chunk
        if len(body) > ANSWER_BYTES:
            raise ValueError("The answer is larger than 1 MiB.")
    if flight.over:
        raise TimeoutError
    # An account read with replacement characters would be written back with them.
    return body.decode("utf-8", "strict" if response.status_code == 200 else "replace")


def _is_hopeless(caught: Exception) -> bool:
    """Say whether requests gave up before it tried: bad URL or header, or no such CA file."""
    return isinstance(caught, ValueError) or type(caught) is OSError


def without_secrets(text: str, secrets: tuple[str, ...]) -> str:
    for secret in filter(None, secrets):
        forms = {secret, quote_plus(secret), html.escape(secret), json.dumps(secret)[1:-1]}
        for form in sorted(forms, key=len, reverse=True):
            text = text.replace(form, "•••")
    return text
