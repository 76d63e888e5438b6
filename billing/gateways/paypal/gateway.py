"""The adapter to PayPal. One object per configured account; tokens and certificates are kept by
the process.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog

from billing.gateways import failures
from billing.gateways.base import (
    Declined,
    GatewayRefused,
    IncomingEvent,
    MovementSnapshot,
    NotConfigured,
    PaymentRequest,
    PaymentSnapshot,
    PaymentStart,
    RefundSnapshot,
)
from billing.gateways.paypal import amounts, certificates, declines, statement, webhooks, wire
from billing.gateways.paypal.chains import Trust
from billing.gateways.paypal.client import Client, Refusal
from packages import clock
from packages.money import Money

log = structlog.get_logger()

ORDERS = "/v2/checkout/orders"
CAPTURES = "/v2/payments/captures"
DISPUTES = "/v1/customer/disputes"
TOKENS = "/v3/vault/payment-tokens"
TRANSACTIONS = "/v1/reporting/transactions"
EVENTS = "/v1/notifications/webhooks-events"
API = {True: "https://api-m.paypal.com", False: "https://api-m.sandbox.paypal.com"}
PAGES = {True: "https://www.paypal.com", False: "https://www.sandbox.paypal.com"}
MODES = {"live": True, "sandbox": False}
# The kinds of events that docs/gateways.md has the operator switch on.
TOLD_OF = ("CHECKOUT.", "PAYMENT.", "CUSTOMER.DISPUTE.", "VAULT.")
# The transaction search answers for at most so many days at once, and refuses to begin where it is
# not complete yet, which may be the last day and a half (airbyte, source-paypal-transaction).
LONGEST_SEARCH, COMPLETE_BEFORE = timedelta(days=31), timedelta(days=2)
# What it says of a window with more than 10,000 lines, and how far those are halved.
TOO_MANY, SHORTEST_SEARCH = "RESULTSET_TOO_LARGE", timedelta(minutes=10)
# What a PaymentRequest's key looks like; other programs have words of their own.
KEY = re.compile(r"[0-9a-f]{32}")


class PayPalGateway:
    """Raises NotConfigured without a client id, ValueError or KeyError for half an account."""

    keeps_methods = True
    # The transaction search shows a payment three hours later at the latest.
    lag = timedelta(hours=3)

    def __init__(self, code: str = "paypal", config: Mapping[str, Any] | None = None) -> None:
        if not config or not config["client_id"]:
            raise NotConfigured(f"no client id for {code}")
        self.code = code
        self.name: str = config["label"] or "PayPal"
        self.account: str = config["account"]
        self.currencies: frozenset[str] | None = config["currencies"]
        if self.currencies is None:
            self.currencies = amounts.CURRENCIES
        self.livemode = MODES[config["environment"]]
        self._webhook_ids = _usable(config["webhook_ids"], livemode=self.livemode)
        base: str = config["api_base"]
        if base and self.livemode:
            raise ValueError(f"{code}: a stand-in takes no real money")
        self._page = PAGES[self.livemode]
        self._trust = _trust(base, config["roots"], livemode=self.livemode)
        if not self.account or not config["client_secret"]:
            raise ValueError(f"{code} needs its secret and its merchant id")
        self._client = Client(
            base or API[self.livemode], config["client_id"], config["client_secret"]
        )

    def start_payment(self, request: PaymentRequest) -> PaymentStart:
        """Open an order for PayPal's page; the same key gives the same one for some hours."""
        asked = wire.order(request)
        return wire.start(self._client.post(ORDERS, asked, key=f"start-{request.key}"))

    def fetch_payment(self, external_id: str) -> PaymentSnapshot:
        """Read an order; events also speak of captures and disputes, which lead to one.

        An order that nobody approved is forgotten by PayPal after some hours: it is cancelled. One
        that money was taken of is not, so that leaves a question: GatewayRefused.
        """
        named = external_id
        if external_id.startswith(wire.DISPUTE):
            path = f"{DISPUTES}/{_segment(external_id.removeprefix(wire.DISPUTE))}"
            dispute = self._client.get(path)
            external_id = wire.CAPTURE + wire.disputed_capture(dispute)
        if external_id.startswith(wire.CAPTURE):
            external_id = wire.order_of(self._capture(external_id.removeprefix(wire.CAPTURE)))
        try:
            found = self._client.get(f"{ORDERS}/{_segment(external_id)}")
        except Refusal as error:
            if error.status != 404 or external_id != named:
                raise
            return PaymentSnapshot(
                external_id=external_id,
                key="",
                state="cancelled",
                amount=Money(0, "EUR"),
                livemode=self.livemode,
            )
        return self._snapshot(found)

    def capture(self, external_id: str, *, key: str) -> PaymentSnapshot:
        """Take the money of an approved order, once per key.

        A declined source leaves the order open: the customer may choose another one on the page.
        """
        path = f"{ORDERS}/{_segment(external_id)}/capture"
        try:
            return self._snapshot(self._client.post(path, {}, key=f"capture-{key}"))
        except Refusal as error:
            code = declines.CODES.get(error.issue)
            if code is None and error.issue not in {"ORDER_ALREADY_CAPTURED", "ORDER_NOT_APPROVED"}:
                raise
        snapshot = self.fetch_payment(external_id)
        if code is None or snapshot.state == "succeeded":
            return snapshot
        return replace(
            snapshot, state="open", failure_code=code, failure_message=failures.message(code)
        )

    def charge_saved(self, request: PaymentRequest, method_token: str) -> PaymentSnapshot:
        """Charge a saved PayPal account; a decline leaves nothing at PayPal, so it is Declined."""
        asked = wire.charge(request, method_token)
        try:
            return self._snapshot(self._client.post(ORDERS, asked, key=f"charge-{request.key}"))
        except Refusal as error:
            code = declines.CODES.get(error.issue)
            if code is None:
                raise
            raise Declined(code, failures.message(code) or "") from error

    def refund(self, external_id: str, amount: Money, *, key: str) -> RefundSnapshot:
        """Give back `amount`. Looks first: an answer may be lost, and keys are forgotten."""
        found = self._client.get(f"{ORDERS}/{_segment(external_id)}")
        made = wire.made_refund(found, key)
        if made is not None:
            return wire.of_refund(made, external_id, key=key)
        captured = wire.captures(found)
        if not captured:
            raise GatewayRefused("nothing was captured of this order")
        path = f"{CAPTURES}/{_segment(str(captured[-1].get('id', '')))}/refund"
        answer = self._client.post(path, wire.refund(amount, key), key=f"refund-{key}")
        return wire.of_refund(answer, external_id, key=key)

    def forget_method(self, method_token: str) -> None:
        """Delete its payment token, which cannot be undone."""
        try:
            self._client.delete(f"{TOKENS}/{_segment(method_token)}")
        except Refusal as error:
            if error.status != 404:
                raise

    def list_payments(self, since: datetime) -> list[PaymentSnapshot]:
        """Search the account's transactions; orders that nobody paid are in no list of PayPal's.

        What other programs took at the same account is left to `list_movements`.
        """
        # PayPal lives by the machine's time, of which a demo's shop may be ahead.
        since -= timedelta(days=clock.days_ahead())
        now = datetime.now(UTC)
        found: dict[str, PaymentSnapshot] = {}
        infos = self._transactions(max(since, now - LONGEST_SEARCH), now, now=now)
        paid = [each for each in infos if KEY.fullmatch(_key(each))]
        for info in paid:
            if statement.began_at(info) < since - timedelta(seconds=1):
                continue
            capture = self._capture(str(info.get("transaction_id")))
            snapshot = self.fetch_payment(wire.order_of(capture))
            found[snapshot.external_id] = snapshot
        return list(found.values())

    def list_movements(self, since: datetime) -> list[MovementSnapshot]:
        """Search the account's transactions; what takes one back carries the key of that one."""
        since -= timedelta(days=clock.days_ahead())
        now = datetime.now(UTC)
        infos = [each for each in self._statement(since, now) if statement.is_done(each)]
        keys = {str(each.get("transaction_id")): _key(each) for each in infos}
        lines = {str(each.get("transaction_id")): each for each in infos}
        return [statement.movement(each, key=self._key_of(each, keys)) for each in lines.values()]

    def list_undelivered(self, since: datetime) -> list[IncomingEvent]:
        """Read all events since: PayPal has no list of those alone, and what is known stays so."""
        since -= timedelta(days=clock.days_ahead())
        asked = {"start_time": _written(since), "end_time": _written(datetime.now(UTC))}
        return [
            wire.listed_event(each, account=self.account, livemode=self.livemode)
            for each in self._client.linked(EVENTS, "events", **asked)
            if str(each.get("event_type")).startswith(TOLD_OF)
        ]

    def verify_webhook(
        self, body: bytes, headers: Mapping[str, str], *, at: datetime
    ) -> IncomingEvent:
        """Check size, age, certificate, signature, form and account, in this order.

        A certificate that this process does not know yet is fetched from PayPal, and from nobody
        else: the one exception to speaking to nobody. Raises Unavailable when that fails.
        """
        ids, trust = self._webhook_ids, self._trust
        webhooks.verify(body, headers, webhook_ids=ids, trust=trust, at=at)
        return wire.event(body, account=self.account, livemode=self.livemode)

    def _snapshot(self, order: dict[str, Any]) -> PaymentSnapshot:
        captured = wire.captures(order)
        dispute = self._dispute(str(captured[-1].get("id", ""))) if captured else wire.Dispute()
        return wire.of_order(order, dispute=dispute, livemode=self.livemode)

    def _dispute(self, capture_id: str) -> wire.Dispute:
        """The latest dispute of a capture. Without the right to see any, there is none to us."""
        try:
            listed = self._client.get(DISPUTES, disputed_transaction_id=_segment(capture_id))
            items = listed.get("items") or []
            if not items:
                return wire.Dispute()
            latest = self._client.get(f"{DISPUTES}/{_segment(str(items[0].get('dispute_id')))}")
        except Refusal as error:
            log.error("paypal.disputes_unseen", gateway=self.code, issue=error.issue)
            return wire.Dispute()
        return wire.of_dispute(latest, page=self._page)

    def _statement(self, since: datetime, now: datetime) -> list[dict[str, Any]]:
        """The lines since, as far as PayPal lists them: the last two days may come later."""
        infos: list[dict[str, Any]] = []
        while since < now:
            last = since >= now - COMPLETE_BEFORE
            until = now if last else min(now - COMPLETE_BEFORE, since + LONGEST_SEARCH)
            try:
                infos += self._transactions(since, until, now=now)
            except Refusal as error:
                if error.name != TOO_MANY or not last:
                    raise
                log.error("paypal.too_many_lines", gateway=self.code)
            since = until
        return infos

    def _transactions(
        self, since: datetime, until: datetime, *, now: datetime
    ) -> list[dict[str, Any]]:
        """The lines of the account's statement between two instants, some perhaps twice.

        Begins earlier where PayPal would not answer. A window with more lines than it lists is
        halved; raises Refusal for the last two days, since no search may begin within them.
        """
        begin = min(since, now - COMPLETE_BEFORE)
        try:
            return self._listed(begin, until)
        except Refusal as error:
            middle = min(begin + (until - begin) / 2, now - COMPLETE_BEFORE)
            if error.name != TOO_MANY or middle - begin < SHORTEST_SEARCH:
                raise
        halves = ((begin, middle), (middle, until))
        return [each for half in halves for each in self._transactions(*half, now=now)]

    def _listed(self, since: datetime, until: datetime) -> list[dict[str, Any]]:
        window = {"start_date": _written(since), "end_date": _written(until)}
        found = self._client.every(
            TRANSACTIONS, "transaction_details", fields="transaction_info", **window
        )
        return [each.get("transaction_info") or {} for each in found]

    def _capture(self, capture_id: str) -> dict[str, Any]:
        return self._client.get(f"{CAPTURES}/{_segment(capture_id)}")

    def _key_of(self, info: dict[str, Any], keys: dict[str, str]) -> str:
        """Our payment's key; the capture carries it, and a line that takes it back names that."""
        taken_back = statement.original(info)
        if statement.is_payment(info) or not taken_back:
            return _key(info)
        if taken_back not in keys:
            try:
                keys[taken_back] = str(self._capture(taken_back).get("custom_id") or "")
            except Refusal:
                keys[taken_back] = ""
        return keys[taken_back]


def _key(info: dict[str, Any]) -> str:
    return str(info.get("custom_field") or "") if statement.is_payment(info) else ""


def _written(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _usable(ids: list[str], *, livemode: bool) -> list[str]:
    """The ids of our webhooks. Raises ValueError for none, and for the simulator's in live mode."""
    if not ids or not all(ids):
        raise ValueError("a PayPal account needs the id of its webhook")
    if livemode and webhooks.SIMULATOR in ids:
        raise ValueError("WEBHOOK_ID is the webhook simulator's, which anybody may use")
    return ids


def _trust(base: str, roots: str, *, livemode: bool) -> Trust:
    """Whose certificates count: the mode's, or the stand-in's alone where it is spoken to."""
    names = (certificates.NAME, certificates.TEST_NAME)
    if base:
        return Trust(frozenset({base}), names, roots, frozenset({base}))
    if livemode:
        return Trust(certificates.LIVE_ORIGINS, names[:1], "", certificates.ISSUERS)
    return Trust(certificates.TEST_ORIGINS, names, "", certificates.ISSUERS)


def _segment(external_id: str) -> str:
    """An id may only ever be one segment of a path, whoever handed it to us."""
    plain = external_id.replace("-", "").replace("_", "")
    if not plain.isalnum() or not plain.isascii():
        raise GatewayRefused("not an id of PayPal")
    return external_id
