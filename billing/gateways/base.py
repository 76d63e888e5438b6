"""What billing may ask of a payment gateway, and what it gets back.

Plain values only: no request, form, template or model crosses this border. The shape follows
docs/gateways.md; every gateway (simulated, bank transfer, Stripe and the like) fits behind it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Literal, Protocol, runtime_checkable

from packages.money import Money

# Webhook bodies above this are refused unread. Stripe's largest events stay well below it.
MAX_BODY = 256 * 1024

PaymentState = Literal["open", "approved", "processing", "succeeded", "failed", "cancelled"]
RefundState = Literal["processing", "succeeded", "failed"]
MovementKind = Literal["payment", "refund", "dispute", "fee", "payout", "other"]
DisputeState = Literal["", "open", "won", "lost"]


@dataclass(frozen=True)
class PaymentRequest:
    """One intended payment. `key` is ours (uuid hex of our Payment) and makes asking repeatable."""

    key: str
    amount: Money
    description: str
    customer_email: str
    language: str
    return_url: str
    save_method: bool = False
    # The customer's id there, where the gateway is a Wallet.
    customer_id: str = ""


@dataclass(frozen=True)
class CustomerRequest:
    """A customer as a gateway may know them. `key` is ours and makes asking repeatable."""

    key: str
    email: str
    name: str
    language: str


@dataclass(frozen=True)
class SetupRequest:
    """A method to be kept without a payment, by the customer with this id there."""

    key: str
    customer_id: str
    currency: str
    language: str
    return_url: str


@dataclass(frozen=True)
class PaymentStart:
    """Where the customer goes on. `redirect_url` None: show the gateway's instructions instead."""

    external_id: str
    redirect_url: str | None


@dataclass(frozen=True)
class SavedMethod:
    """A means of payment that may be charged again. The token is a secret of ours and theirs."""

    token: str = field(repr=False)
    kind: str
    brand: str
    last4: str
    expires_on: date | None


@dataclass(frozen=True)
class RefundSnapshot:
    """A refund as the gateway knows it; `key` is the one we gave, '' for one that somebody made by
    hand. `failure` is the gateway's word for why it failed. One that succeeded may fail later.
    """

    external_id: str
    key: str
    payment_external_id: str
    amount: Money
    state: RefundState
    failure: str = ""


@dataclass(frozen=True)
class PaymentSnapshot:
    """A payment as the gateway knows it at the moment of asking.

    `succeeded`, `failed` and `cancelled` are final. An `open` payment with a `failure_code` had an
    attempt declined and may still be paid on the same page; of an `approved` one the money is only
    taken when we ask (`Captures`). `key` is our PaymentRequest's key.
    `failure_code` is one of `failures.MESSAGES`; `failure_message` is safe for the customer.
    `redirect_url` is where an `open` one goes on, where that is known. `refunds` are all of them,
    failed ones too; None where the gateway tells their sum alone.
    """

    external_id: str
    key: str
    state: PaymentState
    amount: Money
    refunded_minor: int = 0
    refunds: tuple[RefundSnapshot, ...] | None = None
    dispute: DisputeState = ""
    # Where staff answer it.
    dispute_url: str = ""
    failure_code: str | None = None
    failure_message: str | None = None
    succeeded_at: datetime | None = None
    method: SavedMethod | None = None
    livemode: bool = False
    redirect_url: str | None = None


@dataclass(frozen=True)
class SetupSnapshot:
    """What became of a visit to keep a method; its `method` is there once it succeeded."""

    external_id: str
    key: str
    state: Literal["open", "succeeded", "cancelled"]
    method: SavedMethod | None = None


@dataclass(frozen=True)
class MovementSnapshot:
    """A line of the gateway's statement of our balance there.

    `amount` is before the fee, below zero for what leaves; `fee` is what it cost us. `key` is our
    payment's, empty where it is about none of ours.
    """

    external_id: str
    kind: MovementKind
    amount: Money
    fee: Money
    key: str
    at: datetime


@dataclass(frozen=True)
class IncomingEvent:
    """A verified webhook. A hint to fetch the payment, never a fact about it."""

    external_id: str
    kind: str
    payment_external_id: str | None
    livemode: bool
    account: str
    created_at: datetime
    body: bytes = field(repr=False)


class GatewayError(Exception):
    """The parent of those below; catch the one whose actor you can name."""


class Declined(GatewayError):
    """The customer must act, and the gateway holds no payment to record.

    `code` is one of `failures.MESSAGES`, `message` is safe to show.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


class Unavailable(GatewayError):
    """Wait: the outcome is unknown. Ask again with the same key or look it up; never a new key."""


class GatewayRefused(GatewayError):
    """We must act: a wrong request, secret or configuration. Asking the same again is pointless."""


class PayerGone(GatewayRefused):
    """Somebody deleted our customer's object there; it is to be made anew, under another key."""


class BadWebhook(GatewayError):
    """Not to be believed. `reason`, one word, is for the counter and never echoed to the sender."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class NotConfigured(GatewayError):
    """This installation has no settings for the gateway, so it is not offered."""


class Gateway(Protocol):
    """Everything billing may ask. All but `verify_webhook` may speak HTTP: hold no lock then."""

    code: str
    name: str
    # Ours at the gateway. Saved methods are good there and nowhere else.
    account: str
    # Of real money. What one mode knows is nothing to the other, not even under the same code.
    livemode: bool
    keeps_methods: bool
    # None takes any; an empty set takes nothing new, as an account that is being left does.
    currencies: frozenset[str] | None
    # How long a payment may be missing from `list_payments`.
    lag: timedelta

    def start_payment(self, request: PaymentRequest) -> PaymentStart:
        """Open a payment the customer completes elsewhere. The same request again: the same answer.

        Raises Declined, Unavailable (may exist: `list_payments` finds it by key), GatewayRefused
        (PayerGone where it knows customers).
        """
        ...

    def fetch_payment(self, external_id: str) -> PaymentSnapshot:
        """The truth about one payment now. Raises Unavailable, GatewayRefused (unknown id too)."""
        ...

    def charge_saved(self, request: PaymentRequest, method_token: str) -> PaymentSnapshot:
        """Charge a saved method without the customer present; a decline is a `failed` snapshot.

        Raises Declined when the method is gone, Unavailable (may be charged), GatewayRefused.
        """
        ...

    def refund(self, external_id: str, amount: Money, *, key: str) -> RefundSnapshot:
        """Give money back, once per key and never above what was paid.

        Raises Unavailable (may be refunded: repeat with the same key), GatewayRefused.
        """
        ...

    def list_payments(self, since: datetime) -> list[PaymentSnapshot]:
        """All payments created at or after `since`, also those whose start answer never reached us.

        Raises Unavailable, GatewayRefused.
        """
        ...

    def verify_webhook(
        self, body: bytes, headers: Mapping[str, str], *, at: datetime
    ) -> IncomingEvent:
        """Believe a webhook or raise BadWebhook. Header names in any case.

        Speaks to nobody, but for a certificate of the gateway's own that is not known yet; raises
        Unavailable where that cannot be had now.
        """
        ...


@runtime_checkable
class Captures(Protocol):
    """A gateway whose customers only agree on its page; the money is taken when we ask."""

    def capture(self, external_id: str, *, key: str) -> PaymentSnapshot:
        """Take the money of an approved payment, once per key. Speaks HTTP.

        A decline is a snapshot: `open` with its code while the customer may try again. Raises
        Unavailable (may be taken: fetch it), GatewayRefused.
        """
        ...


@runtime_checkable
class Closes(Protocol):
    """A gateway whose page we can close, so that nobody pays what is not wanted any more."""

    def close_page(self, external_id: str) -> PaymentSnapshot:
        """End a payment that is not paid, and return what it is now. Speaks HTTP.

        Where the customer was faster that is their payment, as it is. Raises Unavailable (may be
        closed: ask again), GatewayRefused.
        """
        ...


@runtime_checkable
class Forgets(Protocol):
    """A gateway that lets a kept method go when we ask."""

    def forget_method(self, method_token: str) -> None:
        """Let a kept method go, for ever; one that is gone already is no error. Speaks HTTP.

        Raises Unavailable, GatewayRefused.
        """
        ...


@runtime_checkable
class Wallet(Forgets, Protocol):
    """A gateway that knows our customers, and keeps their methods also without a payment."""

    def create_customer(self, request: CustomerRequest) -> str:
        """Make the customer there, once per key, and return the id. Speaks HTTP.

        Raises Unavailable (may exist: ask again with the same key), GatewayRefused.
        """
        ...

    def start_setup(self, request: SetupRequest) -> PaymentStart:
        """Open a page on which the customer gives a method; nothing is charged. Speaks HTTP.

        Raises Unavailable, PayerGone, GatewayRefused.
        """
        ...

    def fetch_setup(self, external_id: str) -> SetupSnapshot:
        """What became of it. Raises Unavailable, GatewayRefused."""
        ...


@runtime_checkable
class Rehearsal(Protocol):
    """A gateway whose webhooks the shop can sign itself, to try the way that they come."""

    code: str

    def signed_test(self, event_id: str, *, at: datetime) -> tuple[bytes, dict[str, str]]:
        """Return body and headers of an event that speaks of no payment. Speaks to nobody."""
        ...


@runtime_checkable
class Reports(Protocol):
    """A gateway that says what moved on our balance, and what it could not tell us."""

    def list_movements(self, since: datetime) -> list[MovementSnapshot]:
        """All movements since, payouts and fees included. Raises Unavailable, GatewayRefused."""
        ...

    def list_undelivered(self, since: datetime) -> list[IncomingEvent]:
        """Events since that our endpoint has not accepted. Raises Unavailable, GatewayRefused."""
        ...
