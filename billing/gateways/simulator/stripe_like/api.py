"""/v1: what the official package speaks, with Stripe's rules about keys, errors and lists."""

import hashlib
import hmac
import json
from collections.abc import Callable
from typing import Any

from stripe import params
from stripe.params import checkout

from ..store import Row
from ..web import JSON, Request, Response, Route, route
from .bank import Bank
from .books import Thing, shown
from .errors import Refused, invalid, missing, request_id
from .forms import decoded
from .machine import Machine

Doing = Callable[[Bank, Thing], Thing]


def routes(machine: Machine) -> list[Route]:
    """The routes of the API."""
    api = Api(machine)

    def listing(kind: str, *same: str) -> Callable[[Request], Response]:
        return lambda request: api.page(request, kind, same)

    def one(kind: str) -> Callable[..., Response]:
        return lambda request, thing_id: api.fetch(request, kind, thing_id)

    def made(known: Any, do: Doing) -> Callable[[Request], Response]:
        return lambda request: api.make(request, known, do)

    return [
        route("POST", "/v1/customers", made(params.CustomerCreateParams, Bank.customer)),
        route("GET", "/v1/customers", listing("customer", "email")),
        route("GET", "/v1/customers/ID", one("customer")),
        route("POST", "/v1/checkout/sessions", made(checkout.SessionCreateParams, Bank.session)),
        route(
            "GET", "/v1/checkout/sessions", listing("checkout.session", "payment_intent", "status")
        ),
        route("GET", "/v1/checkout/sessions/ID", one("checkout.session")),
        route("POST", "/v1/checkout/sessions/ID/expire", api.expire),
        route("POST", "/v1/payment_intents", made(params.PaymentIntentCreateParams, Bank.charge)),
        route("GET", "/v1/payment_intents", listing("payment_intent", "customer")),
        route("GET", "/v1/payment_intents/ID", one("payment_intent")),
        route("GET", "/v1/setup_intents/ID", one("setup_intent")),
        route("GET", "/v1/payment_methods/ID", one("payment_method")),
        route("POST", "/v1/payment_methods/ID/detach", api.detach),
        route("POST", "/v1/refunds", made(params.RefundCreateParams, Bank.refund)),
        route("GET", "/v1/refunds", listing("refund", "payment_intent")),
        route("GET", "/v1/disputes", listing("dispute", "payment_intent")),
        route("GET", "/v1/events", listing("event", "delivery_success")),
        route("GET", "/v1/balance_transactions", listing("balance_transaction", "type", "source")),
        route("GET", "/v1/payouts", listing("payout", "status")),
    ]


class Api:
    """The handlers. Refused becomes an error in `answer`."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine

    def make(self, request: Request, known: Any, do: Doing) -> Response:
        """Make something, once per idempotency key."""
        asked = decoded(request.body.decode())
        unknown = sorted(set(asked) - set(known.__annotations__))
        if unknown:
            text = f"Received unknown parameter: {unknown[0]}"
            raise invalid(text, code="parameter_unknown", param=unknown[0])
        return self._once(request, asked, do)

    def expire(self, request: Request, session_id: str) -> Response:
        """Close an open page."""

        def do(bank: Bank, asked: Thing) -> Thing:
            return bank.expire(bank.books.get(session_id, "checkout.session"))

        return self._once(request, decoded(request.body.decode()), do)

    def detach(self, request: Request, method_id: str) -> Response:
        """Let a customer's method go, for ever."""

        def do(bank: Bank, asked: Thing) -> Thing:
            method = bank.books.get(method_id, "payment_method")
            return bank.books.save(method, customer=None, gone=True)

        return self._once(request, decoded(request.body.decode()), do)

    def fetch(self, request: Request, kind: str, thing_id: str) -> Response:
        """One object."""
        asked = decoded(request.raw_query)
        with self._machine.rules() as bank:
            found = bank.books.get(thing_id, kind)
            return _answer(200, bank.books.expanded(found, asked.get("expand", [])))

    def page(self, request: Request, kind: str, same: tuple[str, ...]) -> Response:
        """A page of a list, newest first."""
        asked = decoded(request.raw_query)
        since = int((asked.get("created") or {}).get("gte", 0))

        def wanted(each: Thing) -> bool:
            fits = all(_fits(each, name, asked[name]) for name in same if name in asked)
            return fits and int(each["created"]) >= since

        with self._machine.rules() as bank:
            self._mark_deliveries(bank)
            found, more = bank.books.page(
                kind,
                limit=int(asked.get("limit", 10)),
                after=asked.get("starting_after", ""),
                wanted=wanted,
            )
            listed = {"object": "list", "url": request.path, "has_more": more, "data": found}
            return _answer(200, bank.books.expanded(listed, asked.get("expand", [])))

    def _mark_deliveries(self, bank: Bank) -> None:
        """Whether each event has arrived is what its deliveries say."""
        left = bank.books.store.rows(
            "SELECT DISTINCT event FROM delivery WHERE state <> 'delivered'"
        )
        waiting = {row["event"] for row in left}
        for event in bank.books.all("event"):
            pending = int(event["id"] in waiting)
            if event["pending_webhooks"] != pending:
                bank.books.save(event, pending_webhooks=pending)

    def _once(self, request: Request, asked: Thing, do: Doing) -> Response:
        """The first answer to a key is its answer, also a decline; what is invalid is not kept."""
        key = request.headers.get("idempotency-key", "")
        if not key:
            raise invalid("This stand-in wants an idempotency key.", param="Idempotency-Key")
        with self._machine.rules() as bank:
            before = bank.books.store.row("SELECT * FROM answer WHERE key = ?", key)
            if before:
                return _replayed(before, request)
            try:
                found = do(bank, asked)
            except Refused as refused:
                response = refusal(refused)
                if refused.status != 402:
                    return response
            else:
                response = _answer(200, bank.books.expanded(found, asked.get("expand", [])))
            remember(bank, request, response)
        return response


def answer(handler: Callable[..., Response], request: Request, ids: tuple[str, ...]) -> Response:
    """What a handler answers, or the error that it raises."""
    try:
        return handler(request, *ids)
    except Refused as refused:
        return refusal(refused)
    except LookupError as error:
        return refusal(missing(str(error.args[0] if error.args else "")))
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        return refusal(invalid(f"Invalid request: {error!r}"))


def authorised(request: Request, key: str) -> bool:
    """Whether the request carries the account's secret key."""
    given = request.headers.get("authorization", "")
    return hmac.compare_digest(given.encode(), f"Bearer {key}".encode())


def refusal(refused: Refused) -> Response:
    """An error as JSON."""
    return _answer(refused.status, {"error": refused.error})


def remember(bank: Bank, request: Request, response: Response) -> None:
    """Keep `response` as the answer to the request's key, in place of any other."""
    bank.books.store.run(
        "INSERT OR REPLACE INTO answer (key, request, status, body) VALUES (?, ?, ?, ?)",
        request.headers["idempotency-key"],
        _fingerprint(request),
        response.status,
        response.body.decode(),
    )


def _replayed(before: Row, request: Request) -> Response:
    if before["request"] != _fingerprint(request):
        text = "Keys for idempotent requests can only be used with the same parameters."
        raise Refused(400, "idempotency_error", message=text)
    replayed = {"Idempotent-Replayed": "true", "Request-Id": request_id()}
    return Response(before["status"], before["body"].encode(), JSON, replayed)


def _fingerprint(request: Request) -> str:
    return hashlib.sha256(request.path.encode() + b"\0" + request.body).hexdigest()


def _answer(status: int, content: Any) -> Response:
    body = json.dumps(shown(content)).encode()
    return Response(status, body, JSON, {"Request-Id": request_id()})


def _fits(thing: Thing, name: str, value: str) -> bool:
    if name == "delivery_success":
        arrived = thing["pending_webhooks"] == 0
        return arrived is (value == "true")
    return str(thing.get(name)) == value
