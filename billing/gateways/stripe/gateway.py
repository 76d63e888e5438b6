"""The adapter to Stripe. One object per configured account; it keeps nothing between calls."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext_lazy

from billing.gateways import failures, signatures
from billing.gateways.base import (
    CustomerRequest,
    Declined,
    GatewayError,
    GatewayRefused,
    IncomingEvent,
    MovementSnapshot,
    NotConfigured,
    PaymentRequest,
    PaymentSnapshot,
    PaymentStart,
    RefundSnapshot,
    SetupRequest,
    SetupSnapshot,
)
from billing.gateways.stripe import amounts, declines, wire
from packages import clock
from packages.money import Money

if TYPE_CHECKING:
    from stripe import StripeClient

# The kinds of events that docs/gateways.md has the operator switch on.
TOLD_OF = ("checkout.session.", "payment_intent.", "charge.", "refund.")
# With the charge, and with its refunds: up to ten come along, the rest is asked for.
REFUNDS = "latest_charge.refunds"
INTENT = [f"payment_intent.{REFUNDS}"]


class StripeGateway:
    """Raises NotConfigured without a secret key, ValueError or KeyError for half an account.

    The mode is the key's: `sk_live_…` and `rk_live_…` move real money, `…_test_…` none.
    """

    keeps_methods = True
    lag = timedelta(0)

    def __init__(self, code: str = "stripe", config: Mapping[str, Any] | None = None) -> None:
        if not config or not config["secret_key"]:
            raise NotConfigured(f"no secret key for {code}")
        self.code = code
        self.name = config["label"] or str(gettext_lazy("Card, direct debit or wallet"))
        self.account: str = config["account"]
        self.currencies: frozenset[str] | None = config["currencies"]
        self._key: str = config["secret_key"]
        self.livemode = _mode(self._key)
        self._secrets = signatures.usable(config["webhook_secrets"])
        self._configuration: str = config["method_configuration"]
        self._base: str = config["api_base"]
        if not self.account:
            raise ValueError(f"{code} needs the id of its account")

    def start_payment(self, request: PaymentRequest) -> PaymentStart:
        """Open a Checkout Session; the same key and request give the same one for a day."""
        asked = wire.hosted_page(request, configuration=self._configuration)
        options = {"idempotency_key": f"start-{request.key}"}
        sessions = self._client.v1.checkout.sessions
        try:
            return wire.start(self._calls.read(sessions.create, asked, options))
        except GatewayRefused as error:
            raise self._explained(error) from error

    def fetch_payment(self, external_id: str) -> PaymentSnapshot:
        """Read a Checkout Session, or a PaymentIntent; that of a page is known by the page."""
        if external_id.startswith("cs_"):
            return self._of_session(self._session(external_id))
        if not external_id.startswith("pi_"):
            raise GatewayRefused("neither a Checkout Session nor a PaymentIntent")
        intents = self._client.v1.payment_intents
        found = self._calls.read(intents.retrieve, external_id, {"expand": [REFUNDS]})
        if (found["metadata"] or {}).get("origin") != wire.HOSTED:
            return self._of_intent(found)
        asked = {"payment_intent": external_id, "expand": [f"data.{each}" for each in INTENT]}
        pages = self._calls.every(self._client.v1.checkout.sessions.list, asked)
        if not pages:
            raise GatewayRefused("a PaymentIntent without its page")
        return self._of_session(pages[0])

    def close_page(self, external_id: str) -> PaymentSnapshot:
        """Expire a Checkout Session; one that is paid or over is left and read, as is a charge."""
        if not external_id.startswith("cs_"):
            return self.fetch_payment(external_id)
        sessions = self._client.v1.checkout.sessions
        options = {"idempotency_key": f"expire-{external_id}"}
        try:
            self._calls.read(sessions.expire, external_id, {}, options)
        except GatewayRefused as error:
            if not self._calls.invalid(error):
                raise
        return self.fetch_payment(external_id)

    def charge_saved(self, request: PaymentRequest, method_token: str) -> PaymentSnapshot:
        """Charge a saved method off session; a decline comes back as a `failed` snapshot."""
        from stripe import CardError

        asked = wire.charge(request, method_token, configuration=self._configuration)
        options = {"idempotency_key": f"charge-{request.key}"}
        try:
            made = self._calls.read(self._client.v1.payment_intents.create, asked, options)
        except CardError as error:
            return self._declined(self._calls.of_error(error))
        except GatewayRefused as error:
            raise self._explained(error) from error
        return wire.of_intent(made)

    def refund(self, external_id: str, amount: Money, *, key: str) -> RefundSnapshot:
        """Give back `amount`. Looks first: an answer may be lost, and keys are forgotten."""
        intent = self._intent_of(external_id)
        refunds = self._client.v1.refunds
        for made in self._calls.every(refunds.list, {"payment_intent": intent}):
            if (made["metadata"] or {}).get("key") == key:
                return wire.refund(made, external_id)
        asked = {
            "payment_intent": intent,
            "amount": amounts.counted(amount),
            "metadata": {"key": key},
        }
        options = {"idempotency_key": f"refund-{key}"}
        return wire.refund(self._calls.read(refunds.create, asked, options), external_id)

    def list_payments(self, since: datetime) -> list[PaymentSnapshot]:
        """Read all pages and all PaymentIntents that belong to none, also those made by hand."""
        created = {"gte": _seconds(since)}
        asked = {"created": created, "expand": [f"data.{each}" for each in INTENT]}
        sessions = self._calls.every(self._client.v1.checkout.sessions.list, asked)
        asked = {"created": created, "expand": [f"data.{REFUNDS}"]}
        intents = self._calls.every(self._client.v1.payment_intents.list, asked)
        paying = [each for each in sessions if each["mode"] == "payment"]
        others = [each for each in intents if (each["metadata"] or {}).get("origin") != wire.HOSTED]
        return [self._of_session(each) for each in paying] + [
            self._of_intent(each) for each in others
        ]

    def verify_webhook(
        self, body: bytes, headers: Mapping[str, str], *, at: datetime
    ) -> IncomingEvent:
        """Check size, signature, age, form, account and mode, in this order.

        By our own code: the package's `construct_event` accepts dates in the future, and importing
        it would cost more than the check.
        """
        lower = {name.lower(): value for name, value in headers.items()}
        signatures.verify(body, lower.get("stripe-signature", ""), secrets=self._secrets, at=at)
        return wire.event(body, account=self.account, livemode=self.livemode)

    def create_customer(self, request: CustomerRequest) -> str:
        """Make the customer's object, or find the one that an earlier, lost answer was about."""
        customers = self._client.v1.customers
        for made in self._calls.every(customers.list, {"email": request.email}):
            if (made["metadata"] or {}).get("key") == request.key:
                return str(made["id"])
        asked = {
            "email": request.email,
            "name": request.name,
            "preferred_locales": [request.language],
            "metadata": {"key": request.key},
        }
        options = {"idempotency_key": f"customer-{request.key}"}
        return str(self._calls.read(customers.create, asked, options)["id"])

    def start_setup(self, request: SetupRequest) -> PaymentStart:
        """Open a Checkout Session in setup mode."""
        asked = wire.setup_page(request, configuration=self._configuration)
        options = {"idempotency_key": f"setup-{request.key}"}
        sessions = self._client.v1.checkout.sessions
        return wire.start(self._calls.read(sessions.create, asked, options))

    def fetch_setup(self, external_id: str) -> SetupSnapshot:
        """Read a Checkout Session of setup mode with the method that was given."""
        sessions = self._client.v1.checkout.sessions
        asked = {"expand": ["setup_intent.payment_method", "setup_intent.latest_attempt"]}
        return wire.of_setup(self._calls.read(sessions.retrieve, external_id, asked))

    def forget_method(self, method_token: str) -> None:
        """Detach it from its customer, which cannot be undone."""
        methods, key = self._client.v1.payment_methods, f"detach-{method_token}"
        try:
            self._calls.read(methods.detach, method_token, {}, {"idempotency_key": key})
        except GatewayRefused as error:
            # Detached before, or never attached: in both cases nobody can charge it any more.
            if not self._calls.invalid(error):
                raise

    def list_movements(self, since: datetime) -> list[MovementSnapshot]:
        """Read the balance transactions; those of refunds and disputes ask for their payment."""
        asked = {"created": {"gte": _seconds(since)}, "expand": ["data.source"]}
        found = self._calls.every(self._client.v1.balance_transactions.list, asked)
        keys: dict[str, str] = {}
        return [wire.movement(each, key=self._key_of(each, keys)) for each in found]

    def list_undelivered(self, since: datetime) -> list[IncomingEvent]:
        """Read the events that an endpoint of the account has not accepted."""
        asked = {"created": {"gte": _seconds(since)}, "delivery_success": False}
        found = self._calls.every(self._client.v1.events.list, asked)
        return [
            wire.listed_event(each, account=self.account)
            for each in found
            if each["type"].startswith(TOLD_OF)
        ]

    @cached_property
    def _client(self) -> StripeClient:
        timeout = self._calls.TIMEOUT_SECONDS
        made: StripeClient = self._calls.connect(self._key, base=self._base, timeout=timeout)
        return made

    @cached_property
    def _calls(self) -> Any:
        """The package is loaded by whoever speaks to Stripe, not by the webhook's door."""
        from billing.gateways.stripe import client

        return client

    def _session(self, external_id: str) -> dict[str, Any]:
        sessions = self._client.v1.checkout.sessions
        found: dict[str, Any] = self._calls.read(sessions.retrieve, external_id, {"expand": INTENT})
        return found

    def _of_session(self, session: dict[str, Any]) -> PaymentSnapshot:
        self._read_on(session["payment_intent"])
        return wire.of_session(session, dispute=self._dispute(session["payment_intent"]))

    def _of_intent(self, intent: dict[str, Any]) -> PaymentSnapshot:
        self._read_on(intent)
        return wire.of_intent(intent, dispute=self._dispute(intent))

    def _read_on(self, intent: Any) -> None:
        """Put all refunds of a charge in place of the first ones, where there are more."""
        charge = intent["latest_charge"] if isinstance(intent, dict) else None
        refunds = charge.get("refunds") if isinstance(charge, dict) else None
        if refunds and refunds["has_more"]:
            asked = {"payment_intent": intent["id"]}
            refunds["data"] = self._calls.every(self._client.v1.refunds.list, asked)

    def _dispute(self, intent: Any) -> dict[str, Any] | None:
        """The latest dispute of a charge that says there is one; asked for by itself."""
        charge = intent["latest_charge"] if isinstance(intent, dict) else None
        if not isinstance(charge, dict) or not charge["disputed"]:
            return None
        asked = {"payment_intent": intent["id"]}
        found = self._calls.every(self._client.v1.disputes.list, asked)
        return found[0] if found else None

    def _intent_of(self, external_id: str) -> str:
        if not external_id.startswith("cs_"):
            return external_id
        intent = self._session(external_id)["payment_intent"]
        if not isinstance(intent, dict):
            raise GatewayRefused("nothing was paid on this page")
        return str(intent["id"])

    def _key_of(self, movement: dict[str, Any], keys: dict[str, str]) -> str:
        """Our payment's key; a charge carries it, a refund or dispute names its PaymentIntent."""
        source = movement["source"]
        if not isinstance(source, dict):
            return ""
        intent = source.get("payment_intent")
        if source["object"] == "charge" or not isinstance(intent, str):
            return str((source.get("metadata") or {}).get("key", ""))
        if intent not in keys:
            found = self._calls.read(self._client.v1.payment_intents.retrieve, intent)
            keys[intent] = str((found["metadata"] or {}).get("key", ""))
        return keys[intent]

    def _explained(self, error: GatewayRefused) -> GatewayError:
        """The refusal, or what the customer is told of it where it is theirs to act."""
        code = "method_gone" if self._calls.missing(error) else ""
        code = "amount_too_small" if self._calls.too_small(error) else code
        return Declined(code, failures.message(code) or "") if code else error

    def _declined(self, error: dict[str, Any]) -> PaymentSnapshot:
        """A decline leaves a PaymentIntent; one without is no payment at all."""
        intent = error.get("payment_intent")
        if not isinstance(intent, dict):
            found = declines.code(error) or "payment_failed"
            raise Declined(found, failures.message(found) or "")
        return wire.of_intent(intent | {"last_payment_error": error})


def _seconds(since: datetime) -> int:
    """Stripe lives by the machine's time, of which a demo's shop may be ahead."""
    return int((since - timedelta(days=clock.days_ahead())).timestamp())


def _mode(key: str) -> bool:
    """Whether a key is of live mode. Raises ValueError for what is no secret key."""
    for mode, live in {"_live_": True, "_test_": False}.items():
        if key.startswith((f"sk{mode}", f"rk{mode}")):
            return live
    raise ValueError("a secret or restricted key begins with sk_live_, sk_test_, rk_…")
