"""What an exchange of a package costs and brings. Nothing here is stored."""

from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import partial
from typing import Any

from django.utils import translation
from django.utils.translation import gettext as _

from billing import credit_notes, invoices, remainders
from billing.models import (
    Brand,
    Exchange,
    Invoice,
    InvoiceLine,
    Order,
    OrderLine,
    Subscription,
    current_brand,
)
from billing.remainders import Remainder
from packages.models import Cycle, Package, Price
from packages.money import Money, total
from packages.periods import Period

Mode = Exchange.Mode


class NotExchangeable(Exception):
    """The service cannot be exchanged so, now; `str()` says why, for people."""


@dataclass(frozen=True, slots=True)
class Quote:
    """What an exchange costs and brings on a day. Nothing of it is stored.

    `rest`, `unused` and `kept` are in the price mode, as this customer pays; `total` is with tax:
    above zero to be paid first, below zero credited.
    """

    subscription: Subscription
    price: Price
    mode: Exchange.Mode
    on: date
    renews_on: date
    remainder: Remainder | None
    rest: Money
    unused: Money
    kept: Money
    granted: Money
    priced: invoices.Priced | None = None
    notes: tuple[credit_notes.Draft, ...] = ()

    @property
    def total(self) -> Money:
        if self.priced is not None:
            return self.priced.sums.total
        return -total((note.total for note in self.notes), self.price.currency)

    @property
    def name(self) -> str:
        return self.price.package.text("name")

    @property
    def renewal(self) -> Money:
        return self.price.amount.times(self.subscription.quantity)

    @property
    def credited(self) -> Money:
        return -self.total if self.notes else Money.zero(self.price.currency)

    @property
    def days(self) -> int:
        return self.remainder.days if self.remainder else 0

    @property
    def fingerprint(self) -> str:
        """Name what was seen; the form sends it back, so that nothing else is agreed to."""
        sums = (self.rest, self.unused, self.kept, self.granted, self.total, self.renewal)
        parts = (self.price.pk, self.mode, self.on, self.renews_on, *(each.minor for each in sums))
        return "|".join(map(str, parts))


def targets(subscription: Subscription) -> list[Price]:
    """Return what the owner may change to: prices of the packages that staff have allowed."""
    allowed = Price.objects.filter(
        package__in=subscription.package.exchange_targets.all(),
        package__archived=False,
        package__draft=False,
        archived=False,
    )
    return _fitting(allowed, subscription)


def any_target(subscription: Subscription) -> list[Price]:
    """Return what staff may choose: every price of a renewing package in the currency."""
    return _fitting(Price.objects.filter(archived=False, package__draft=False), subscription)


def _fitting(prices: Any, subscription: Subscription) -> list[Price]:
    fitting = prices.filter(
        currency=subscription.currency,
        package__kind=Package.Kind.SUBSCRIPTION,
        package__max_quantity__gte=subscription.quantity,
    ).exclude(cycle=Cycle.ONE_TIME)
    mine = {"package": subscription.package_id, "cycle": subscription.cycle}
    rows = fitting.exclude(**mine).select_related("package__tariff")
    return list(rows.order_by("package__position", "package_id", "amount_minor"))


def pending(subscription: Subscription) -> Exchange | None:
    """Return the exchange that was agreed and is not done yet."""
    waiting = Exchange.objects.filter(subscription=subscription, state=Exchange.State.PENDING)
    return waiting.select_related("package", "order_line__order__invoice").first()


def modes(subscription: Subscription, price: Price, *, on: date) -> list[Exchange.Mode]:
    """Return when the exchange could be: at once only within a paid period of the same cycle."""
    if price.cycle != subscription.cycle or _running(subscription, on) is None:
        return [Mode.AT_END]
    return [Mode.NOW, Mode.AT_END]


def obstacle(subscription: Subscription) -> str:
    """Say what forbids any exchange just now, in words for people; empty if nothing does."""
    if not subscription.recurs:
        return _("This service has no periods, so there is nothing to exchange.")
    if subscription.state != Subscription.State.ACTIVE or subscription.paid_until is None:
        return _("Only a service that is active can be exchanged.")
    if subscription.ends_on is not None:
        return _("The service is cancelled. Withdraw the cancellation first.")
    if pending(subscription) is not None:
        return _("A change of the package is already agreed. Take that one back first.")
    blocking = open_invoice(subscription)
    if blocking is not None:
        return _("Invoice %(number)s is still open. Pay it first.") % {"number": blocking.number}
    return ""


def quote(subscription: Subscription, price: Price, *, on: date, mode: Exchange.Mode) -> Quote:
    """Work out an exchange on a day without storing anything; the preview is this.

    Raises NotExchangeable, tax.NoRate.
    """
    if reason := obstacle(subscription):
        raise NotExchangeable(reason)
    if price not in any_target(subscription):
        raise NotExchangeable(_("The service cannot be exchanged for this package."))
    if mode not in modes(subscription, price, on=on):
        raise NotExchangeable(_("This change is possible at the end of the period only."))
    assert subscription.paid_until is not None, "Without an obstacle it was paid for once."
    zero = Money.zero(price.currency)
    if mode == Mode.AT_END:
        ends_on = subscription.paid_until
        return Quote(subscription, price, mode, ends_on, ends_on, None, zero, zero, zero, zero)
    return _quote_now(subscription, price, on=on)


def _quote_now(subscription: Subscription, price: Price, *, on: date) -> Quote:
    """Set the new package's rest against the old one's, and against included credit that stays.

    Credit that was included for days after the exchange is not taken back: what the new package
    includes less is charged, what it includes more is added. So changing there and back gives no
    credit that was not paid for.
    """
    remainder = _running(subscription, on)
    assert remainder is not None, "The mode was checked."
    zero = Money.zero(price.currency)
    more = _more_credit(subscription, price, remainder)
    brand = current_brand()
    made = draft(subscription, price, remainder)
    priced = invoices.price(made, brand, on=on)
    _demand_same_tax(remainder, priced, brand)
    rest, unused, *kept = priced.units
    net = total(priced.units, price.currency)
    quoted = Quote(
        subscription,
        price,
        Mode.NOW,
        on,
        remainder.period.end_on,
        remainder,
        rest,
        -unused,
        total(kept, price.currency),
        max(zero, more),
    )
    if net > zero:
        return replace(quoted, priced=priced)
    try:
        return replace(quoted, notes=tuple(remainders.planned(remainder, -net)))
    except credit_notes.NotCreditable as error:
        text = _("What was paid for this period has been credited before. Please contact us.")
        raise NotExchangeable(text) from error


def _running(subscription: Subscription, on: date) -> Remainder | None:
    """Return the rest of the running period where an exchange at once is possible.

    Not when the next period is paid, or about to be invoiced: that would be by the old price.
    """
    remainder = remainders.of(subscription, on=on)
    if remainder is None or remainder.period.end_on != subscription.paid_until:
        return None
    next_on = subscription.next_invoice_on
    return remainder if next_on is not None and on < next_on else None


def open_invoice(subscription: Subscription) -> Invoice | None:
    kinds = (InvoiceLine.Kind.RECURRING, InvoiceLine.Kind.EXCHANGE)
    lines = {"lines__subscription": subscription, "lines__kind__in": kinds}
    return Invoice.objects.filter(state=Invoice.State.OPEN, **lines).order_by("pk").first()


def draft(
    subscription: Subscription,
    price: Price,
    remainder: Remainder,
    *,
    order: Order | None = None,
    order_line: OrderLine | None = None,
) -> invoices.Draft:
    """Return the invoice of an exchange at once: the quote is priced from it, the order issues it.

    The new package's rest, less what the old one's unused days are worth; and the included credit
    that the new one has less, since it is not taken back.
    """
    stretch = Period(remainder.on, remainder.period.end_on)
    words = {
        "new": price.package.text("name"),
        "old": subscription.package.text("name"),
        "days": remainder.days,
        "of": remainder.period.days,
    }
    rest = remainder.share(price.amount.times(subscription.quantity))
    texts = [
        _("%(new)s: %(days)s of %(of)s days") % words,
        _("%(old)s: %(days)s unused of %(of)s days") % words,
        _("%(old)s: included credit that stays on the account") % words,
    ]
    kept = max(Money.zero(price.currency), -_more_credit(subscription, price, remainder))
    charge = partial(
        invoices.Line,
        InvoiceLine.Kind.EXCHANGE,
        subscription=subscription,
        order_line=order_line,
        period=stretch,
    )
    given_back = charge(texts[1], -remainder.worth, as_paid=True, sets_off=remainder.line)
    lines = (charge(texts[0], rest), given_back, *([charge(texts[2], kept)] if kept else []))
    customer = subscription.customer
    due_on = _payable_until(subscription, remainder)
    language = translation.get_language() or customer.language
    return invoices.Draft(
        customer, subscription.currency, language.split("-")[0], lines, order, due_on
    )


def _more_credit(subscription: Subscription, price: Price, remainder: Remainder) -> Money:
    """Return what the new package includes more for the days left; below zero, what less."""
    new = remainder.share(price.credit.times(subscription.quantity))
    return new - remainder.share(subscription.credit)


def _payable_until(subscription: Subscription, remainder: Remainder) -> date:
    """Return the last day for paying: before the renewal is invoiced, by the package it has."""
    assert subscription.next_invoice_on is not None, "An exchange at once was possible."
    latest = remainder.on + timedelta(days=current_brand().due_days)
    return min(latest, subscription.next_invoice_on - timedelta(days=1))


def _demand_same_tax(remainder: Remainder, priced: invoices.Priced, brand: Brand) -> None:
    """Raise unless the period was invoiced as it would be today: else days do not compare."""
    (rate_bp,) = set(priced.rates)
    for paper in remainder.papers:
        rates = {line.tax_bp for line in paper.lines}
        then = (rates, paper.invoice.tax_note, paper.invoice.prices_include_tax)
        if then != ({rate_bp}, priced.treatment.note, brand.prices_include_tax):
            text = _(
                "The tax has changed since this period was invoiced. "
                "This change is possible at the end of the period only."
            )
            raise NotExchangeable(text)
