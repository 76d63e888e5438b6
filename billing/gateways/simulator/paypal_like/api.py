"""The API: tokens, orders, captures, refunds, disputes, the transaction search, certificates."""

import base64
import hmac
import html
import json
import re
import secrets
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from ..web import Request, Response, Route, json_response, route
from . import statement
from .bank import Bank, Refused
from .books import Thing, moment, shown
from .machine import Machine

Doing = Callable[[Bank, Thing], Thing]
# The search has no answer for a time that begins later.
COMPLETE_BEFORE_SECONDS = 36 * 3600
# Nor for more lines than it lists; it has no details then, and the name of its own.
TOO_MANY = "RESULTSET_TOO_LARGE"


def routes(machine: Machine) -> list[Route]:
    """The routes of the API."""
    api = Api(machine)
    dispute = re.compile(r"/v1/customer/disputes/([\w-]+)")
    return [
        route("POST", "/v1/oauth2/token", api.token),
        route("POST", "/v2/checkout/orders", api.make_order),
        route("GET", "/v2/checkout/orders/ID", api.order),
        route("POST", "/v2/checkout/orders/ID/capture", api.capture_order),
        route("GET", "/v2/payments/captures/ID", api.capture),
        route("POST", "/v2/payments/captures/ID/refund", api.refund),
        route("DELETE", "/v3/vault/payment-tokens/ID", api.forget),
        route("GET", "/v1/customer/disputes", api.disputes),
        ("GET", dispute, api.dispute),
        route("GET", "/v1/reporting/transactions", api.transactions),
        route("GET", "/v1/notifications/webhooks-events", api.events),
    ]


class Api:
    """The handlers. Refused becomes an error in `answer`."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine

    def token(self, request: Request) -> Response:
        """A bearer token for the client's id and secret."""
        setup = self._machine.setup
        pair = base64.b64encode(f"{setup.client_id}:{setup.client_secret}".encode()).decode()
        if not hmac.compare_digest(request.headers.get("authorization", ""), f"Basic {pair}"):
            return json_response(401, {"error": "invalid_client"})
        token = secrets.token_urlsafe(32)
        until = time.time() + setup.token_seconds
        with self._machine.store.transaction() as store:
            store.insert("token", token=token, until=until)
        answer = {"access_token": token, "token_type": "Bearer"}
        return json_response(200, answer | {"expires_in": setup.token_seconds})

    def make_order(self, request: Request) -> Response:
        return self._once(request, lambda bank, asked: bank.seen(bank.order(asked)), status=201)

    def order(self, request: Request, order_id: str) -> Response:
        with self._machine.rules() as bank:
            return json_response(200, bank.seen(bank.books.get(order_id, "order")))

    def capture_order(self, request: Request, order_id: str) -> Response:
        def do(bank: Bank, asked: Thing) -> Thing:
            return bank.seen(bank.capture(bank.books.get(order_id, "order")))

        return self._once(request, do, status=201)

    def capture(self, request: Request, capture_id: str) -> Response:
        with self._machine.rules() as bank:
            return json_response(200, shown(bank.books.get(capture_id, "capture")))

    def refund(self, request: Request, capture_id: str) -> Response:
        def do(bank: Bank, asked: Thing) -> Thing:
            return shown(bank.refund(bank.books.get(capture_id, "capture"), asked))

        return self._once(request, do, status=201)

    def forget(self, request: Request, token: str) -> Response:
        """Let a kept method go, for ever."""
        with self._machine.rules() as bank:
            method = bank.books.get(token, "token")
            if method["gone"]:
                raise LookupError(token)
            bank.books.save(method, gone=True)
        return Response(204)

    def disputes(self, request: Request) -> Response:
        wanted = request.query["disputed_transaction_id"]
        with self._machine.rules() as bank:
            found = [
                {"dispute_id": each["id"], "status": each["status"]}
                for each in reversed(bank.books.all("dispute"))
                if each["disputed_transactions"][0]["seller_transaction_id"] == wanted
            ]
        return json_response(200, {"items": found})

    def dispute(self, request: Request, dispute_id: str) -> Response:
        with self._machine.rules() as bank:
            return json_response(200, shown(bank.books.get(dispute_id, "dispute")))

    def transactions(self, request: Request) -> Response:
        """The account's statement between two instants, a page of it."""
        since, until = request.query["start_date"], request.query["end_date"]
        if since > moment(time.time() - COMPLETE_BEFORE_SECONDS):
            raise Refused(400, "INVALID_REQUEST")
        number, size = int(request.query["page"]), int(request.query["page_size"])
        with self._machine.rules() as bank:
            every = statement.lines(bank.books)
        found = [each for each in every if since <= each["transaction_initiation_date"] <= until]
        if len(found) > self._machine.most_listed:
            raise Refused(400, TOO_MANY)
        shown_now = found[(number - 1) * size : number * size]
        listed = [{"transaction_info": each} for each in shown_now]
        pages = -(-len(found) // size)
        return json_response(200, {"transaction_details": listed, "total_pages": pages})

    def events(self, request: Request) -> Response:
        """The events between two instants, delivered or not, and where the list goes on."""
        query = request.query
        begin, size = int(query.get("index_id", 0)), int(query["page_size"])
        rows = self._machine.store.rows("SELECT body FROM event ORDER BY rowid")
        every = [json.loads(row["body"]) for row in rows]
        since, until = query["start_time"], query["end_time"]
        found = [each for each in every if since <= each["create_time"] <= until]
        page = found[begin : begin + size]
        # As in PayPal's examples, the way on is escaped and there is one from every page with any.
        after = {**query, "move_to": "next", "index_id": str(begin + size)}
        address = f"{self._machine.public_url}/v1/notifications/webhooks-events/"
        href = html.escape(f"{address}?{urlencode(after)}")
        links = [{"href": href, "rel": "next", "method": "GET"}] if page else []
        return json_response(200, {"events": page, "count": len(page), "links": links})

    def _once(self, request: Request, do: Doing, *, status: int) -> Response:
        """The first answer to a request id is its answer, also a decline."""
        key = request.headers.get("paypal-request-id", "")
        if not key:
            raise Refused(400, "PAYPAL_REQUEST_ID_REQUIRED")
        refused: Refused | None = None
        with self._machine.rules() as bank:
            before = bank.books.store.row("SELECT * FROM answer WHERE key = ?", key)
            if before and before["status"] == 422:
                raise Refused(422, before["body"])
            if before:
                return Response(200, before["body"].encode(), "application/json")
            try:
                found = do(bank, request.data())
            except Refused as error:
                # What the refusal changed (a declined order is open again) stays changed.
                refused = error
                if error.issue == "INSTRUMENT_DECLINED":
                    bank.books.store.insert("answer", key=key, status=422, body=error.issue)
            else:
                response = json_response(status, found)
                body = response.body.decode()
                bank.books.store.insert("answer", key=key, status=status, body=body)
        if refused is not None:
            raise refused
        return response


def answer(handler: Callable[..., Response], request: Request, ids: tuple[str, ...]) -> Response:
    """What a handler answers, or the error that it raises."""
    try:
        return handler(request, *ids)
    except Refused as refused:
        return refusal(refused)
    except LookupError:
        return refusal(Refused(404, "INVALID_RESOURCE_ID"))
    except (ValueError, TypeError, AttributeError):
        return refusal(Refused(400, "INVALID_PARAMETER_SYNTAX"))


def authorised(machine: Machine, request: Request) -> bool:
    """Whether the request carries a token that has not ended."""
    token = request.headers.get("authorization", "").removeprefix("Bearer ")
    row = machine.store.row("SELECT until FROM token WHERE token = ?", token)
    return row is not None and float(row["until"]) > time.time()


def refusal(refused: Refused) -> Response:
    """An error as PayPal words it."""
    names = {401: "AUTHENTICATION_FAILURE", 404: "RESOURCE_NOT_FOUND", 422: "UNPROCESSABLE_ENTITY"}
    error: dict[str, Any] = {
        "name": names.get(refused.status, "INVALID_REQUEST"),
        "details": [{"issue": refused.issue}],
        "debug_id": secrets.token_hex(7),
    }
    if refused.issue == TOO_MANY:
        error |= {"name": TOO_MANY, "details": []}
    return json_response(refused.status, error)
