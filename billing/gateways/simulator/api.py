"""/v1: what the shop's server speaks. Bearer key, JSON, an idempotency key on every POST."""

import hashlib
import hmac
import json
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from .machine import Machine
from .payments import Desk, Refused, view
from .store import Row
from .web import Request, Response, Route, json_response, route

PAGE = 100
Doing = Callable[[Desk, str], Response]


def routes(machine: Machine) -> list[Route]:
    """The routes of the API."""
    api = Api(machine)
    return [
        route("POST", "/v1/payments", api.start),
        route("GET", "/v1/payments", api.list),
        route("GET", "/v1/payments/ID", api.fetch),
        route("POST", "/v1/payments/ID/refunds", api.refund),
        route("POST", "/v1/charges", api.charge),
        route("GET", "/v1/events", api.events),
    ]


class Api:
    """The handlers. Refused and ValueError become errors in the server."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine

    def start(self, request: Request) -> Response:
        """Open a payment."""
        asked = _payment(request.data())

        def do(desk: Desk, key: str) -> Response:
            return self._payment(201, desk.open(key, asked))

        return self._once(request, do)

    def charge(self, request: Request) -> Response:
        """Charge a saved method: 200, or 402 with the failed payment, or 402 without a method."""
        data = request.data()
        asked, token = _payment(data), _text(data, "method")

        def do(desk: Desk, key: str) -> Response:
            if not desk.store.row("SELECT 1 AS y FROM method WHERE token = ? AND NOT gone", token):
                raise Refused(402, "method_gone")
            payment = desk.charge(desk.open(key, asked, method=token)["id"])
            return self._payment(402 if payment["failure_code"] else 200, payment)

        return self._once(request, do)

    def refund(self, request: Request, payment_id: str) -> Response:
        """Give money back, never above what is left."""
        amount_minor, currency = _money(request.data())

        def do(desk: Desk, key: str) -> Response:
            if desk.get(payment_id)["currency"] != currency:
                raise Refused(400, "wrong_currency")
            return json_response(
                201, {"refund": refund(desk.refund(payment_id, key, amount_minor))}
            )

        return self._once(request, do)

    def fetch(self, request: Request, payment_id: str) -> Response:
        """One payment."""
        with self._machine.rules() as desk:
            return self._payment(200, desk.get(payment_id))

    def list(self, request: Request) -> Response:
        """Payments by age, a page at a time; `since` (unix), `key` and `after` narrow them."""
        query = request.query
        found = self._machine.store.rows(
            "SELECT * FROM payment WHERE created_at >= ? AND n > ? AND (? IS NULL OR key = ?) "
            "ORDER BY n LIMIT ?",
            float(query.get("since", 0)),
            int(query.get("after", 0)),
            query.get("key"),
            query.get("key"),
            PAGE,
        )
        next_after = found[-1]["n"] if len(found) == PAGE else None
        shown = [self._view(payment) for payment in found]
        return json_response(200, {"payments": shown, "next": next_after})

    def events(self, request: Request) -> Response:
        """Events by age, as they were sent."""
        found = self._machine.store.rows(
            "SELECT body FROM event WHERE at >= ? ORDER BY n", float(request.query.get("since", 0))
        )
        return json_response(200, {"events": [json.loads(event["body"]) for event in found]})

    def _once(self, request: Request, do: Doing) -> Response:
        """Do it once per key: the first answer, good or bad, is the answer for ever."""
        key = request.headers.get("idempotency-key", "")
        if not re.fullmatch(r"[\w-]{1,100}", key):
            raise Refused(400, "idempotency_key_missing")
        with self._machine.rules() as desk:
            before = desk.store.row("SELECT * FROM answer WHERE key = ?", key)
            if before:
                return _replayed(before, request)
            try:
                response = do(desk, key)
            except Refused as refused:
                response = error(refused.status, refused.code)
            remember(desk, request, response)
        return response

    def _payment(self, status: int, payment: Row) -> Response:
        return json_response(status, {"payment": self._view(payment)})

    def _view(self, payment: Row) -> dict[str, Any]:
        shown = view(self._machine.store, payment, account=self._machine.setup.account)
        return shown | {"url": f"{self._machine.public_url}/pay/{payment['id']}"}


def authorised(request: Request, key: str) -> bool:
    """Whether the request carries our bearer key."""
    given = request.headers.get("authorization", "")
    return hmac.compare_digest(given.encode(), f"Bearer {key}".encode())


def error(status: int, code: str) -> Response:
    """An error as the API words it."""
    return json_response(status, {"error": {"code": code}})


def remember(desk: Desk, request: Request, response: Response) -> None:
    """Keep `response` as the answer to the request's key, in place of any other."""
    desk.store.run(
        "INSERT OR REPLACE INTO answer (key, request, status, body) VALUES (?, ?, ?, ?)",
        request.headers["idempotency-key"],
        _fingerprint(request),
        response.status,
        response.body.decode(),
    )


def refund(row: Row) -> dict[str, Any]:
    """A refund as the API shows it."""
    amount = {"minor": row["amount_minor"], "currency": row["currency"]}
    shown = {"id": row["id"], "key": row["key"], "payment": row["payment"]}
    return shown | {"amount": amount, "state": "succeeded"}


def _replayed(before: Row, request: Request) -> Response:
    if before["request"] != _fingerprint(request):
        raise Refused(409, "idempotency_key_reused")
    return json_response(before["status"], json.loads(before["body"]))


def _fingerprint(request: Request) -> str:
    return hashlib.sha256(request.path.encode() + b"\0" + request.body).hexdigest()


def _payment(data: Any) -> Row:
    amount_minor, currency = _money(data)
    return_url = _text(data, "return_url")
    if urlsplit(return_url).scheme not in {"http", "https"}:
        raise ValueError("return_url is no web address")
    return {
        "amount_minor": amount_minor,
        "currency": currency,
        "return_url": return_url,
        "description": _text(data, "description"),
        "customer_email": _text(data, "customer_email"),
        "language": _text(data, "language"),
        "save_method": int(data.get("save_method") is True),
    }


def _money(data: Any) -> tuple[int, str]:
    amount = data.get("amount") if isinstance(data, dict) else None
    if not isinstance(amount, dict):
        raise ValueError("amount is missing")
    minor, currency = amount.get("minor"), amount.get("currency")
    if type(minor) is not int or not 0 < minor < 10**12:
        raise ValueError("amount.minor is no positive integer")
    if not isinstance(currency, str) or not re.fullmatch("[A-Z]{3}", currency):
        raise ValueError("amount.currency is no ISO code")
    return minor, currency


def _text(data: dict[str, Any], name: str) -> str:
    value = data.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= 2000:
        raise ValueError(f"{name} is missing")
    return value
