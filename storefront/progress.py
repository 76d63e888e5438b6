"""Where an order stands, as its page tells it. It reads; nothing is changed or guessed."""

from dataclasses import dataclass
from enum import StrEnum

from django.utils.translation import gettext as _

from billing import gateways
from billing.gateways import failures
from billing.gateways.base import Gateway
from billing.models import Invoice, Order, OrderLine, Payment, Subscription
from provisioning.models import Job


class Stage(StrEnum):
    """The customer's words for it; the first four end with a payment, the rest follow one."""

    UNPAID = "unpaid"
    TRANSFER = "transfer"
    CONFIRMING = "confirming"
    DECLINED = "declined"
    SETTING_UP = "setting_up"
    DELAYED = "delayed"
    READY = "ready"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Progress:
    """An order, its invoice and latest payment, and what they amount to."""

    order: Order
    invoice: Invoice
    payment: Payment | None
    stage: Stage
    lines: tuple[OrderLine, ...]

    @property
    def moves(self) -> bool:
        """Say whether it goes on by itself soon, so that the page should look again."""
        return self.stage in (Stage.CONFIRMING, Stage.SETTING_UP)

    @property
    def is_paid(self) -> bool:
        return self.stage in (Stage.SETTING_UP, Stage.DELAYED, Stage.READY)

    @property
    def tops_up(self) -> bool:
        return all(line.kind == OrderLine.Kind.TOP_UP for line in self.lines)

    @property
    def has_ended(self) -> bool:
        """Say whether nothing of what was ordered runs any more, though it once did."""
        ended = Subscription.State.ENDED
        return all(line.subscription.state == ended for line in self.lines)

    @property
    def reason(self) -> str:
        """Return why the payment did not go through, in words for the customer."""
        if self.payment is None:
            return ""
        if self.payment.state == Payment.State.CANCELLED:
            return _("The payment was cancelled before it was completed. No money was taken.")
        known = failures.MESSAGES.get(self.payment.failure_code)
        return str(known or _("The payment did not go through."))

    @property
    def methods(self) -> list[Gateway]:
        return gateways.offered(self.invoice.currency)


def progress_of(order: Order) -> Progress:
    """Read how far the order is; a few queries, whatever it holds."""
    invoice = order.invoice
    payment = invoice.payments.order_by("-id").first()
    lines = tuple(
        order.lines.select_related("subscription__account__server", "subscription__package")
    )
    return Progress(order, invoice, payment, _stage(order, invoice, payment, lines), lines)


def _stage(
    order: Order, invoice: Invoice, payment: Payment | None, lines: tuple[OrderLine, ...]
) -> Stage:
    if order.state == Order.State.FULFILLED:
        return _set_up(lines)
    if invoice.state == Invoice.State.PAID:
        return Stage.SETTING_UP
    if order.state == Order.State.CANCELLED or invoice.state == Invoice.State.CANCELLED:
        return Stage.CANCELLED
    if payment is None or payment.state == Payment.State.SUCCEEDED:
        return Stage.UNPAID
    return _paying(payment)


def _paying(payment: Payment) -> Stage:
    if payment.state not in Payment.OPEN:
        return Stage.DECLINED
    if payment.gateway == "bank_transfer":
        return Stage.TRANSFER
    # An answer that was not believed is no decline.
    if payment.state == Payment.State.CREATED and payment.failure_code in failures.MESSAGES:
        return Stage.DECLINED
    return Stage.CONFIRMING


def _set_up(lines: tuple[OrderLine, ...]) -> Stage:
    """Ask the dialler's jobs of these lines; `bundle` is the cause that billing gave them."""
    bundles = [
        f"order-line-{line.pk}{end}"
        for line in lines
        for end in ("", ":credit", ":limits", ":unsuspend")
    ]
    states = set(Job.objects.filter(bundle__in=bundles).values_list("state", flat=True))
    if Job.State.PARKED in states:
        return Stage.DELAYED
    return Stage.SETTING_UP if states & set(Job.UNFINISHED) else Stage.READY
