"""Exchanges for tests: a service bought on 2 March 2026, and what is done to it by the day."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

from billing import credit_notes, days, exchanges, ledger, quotes
from billing.models import (
    Exchange,
    Invoice,
    Payment,
    Subscription,
)
from packages.money import Money
from packages.periods import business_day
from provisioning.models import Job
from tests import payments, world

AT = datetime(2026, 3, 2, 9, tzinfo=UTC)
START, DUE = date(2026, 3, 2), date(2026, 4, 2)
NOW, AT_END = Exchange.Mode.NOW, Exchange.Mode.AT_END


def day(offset: int) -> datetime:
    """Return noon of the day so many days after the purchase."""
    on = START + timedelta(days=offset)
    return datetime(on.year, on.month, on.day, 12, tzinfo=UTC)


def live(first: int, last: int) -> None:
    for offset in range(first, last + 1):
        days.run(START + timedelta(days=offset), at=day(offset), most=None)


def quoted(
    subscription: Subscription, slug: str, offset: int, *, mode: Any = NOW, cycle: str = "monthly"
) -> quotes.Quote:
    subscription.refresh_from_db()
    price, on = world.price(slug, cycle=cycle), business_day(day(offset), subscription.zone)
    return quotes.quote(subscription, price, on=on, mode=mode)


def agreed(
    subscription: Subscription, slug: str, offset: int, *, mode: Any = NOW, cycle: str = "monthly"
) -> Exchange:
    quote = quoted(subscription, slug, offset, mode=mode, cycle=cycle)
    return exchanges.place(
        quote,
        seen=quote.fingerprint,
        placed_by=None,
        language="en",
        at=day(offset),
        actor="user:7",
    )


def invoice_of(exchange: Exchange) -> Invoice:
    assert exchange.order_line is not None
    return Invoice.objects.get(order=exchange.order_line.order_id)


def changed(subscription: Subscription, slug: str, offset: int) -> Exchange:
    """Exchange at once, and pay what the balance leaves to be paid."""
    exchange = agreed(subscription, slug, offset)
    if exchange.order_line is not None and invoice_of(exchange).due:
        payments.pay(invoice_of(exchange), at=day(offset))
    exchange.refresh_from_db()
    subscription.refresh_from_db()
    assert exchange.state == Exchange.State.DONE
    return exchange


def credit(invoice: Invoice, minor: int | None = None, *, offset: int = 11) -> Invoice:
    """Credit all that is left of an invoice, or so much of its first line."""
    amounts = {invoice.lines.all()[0].pk: Money(minor, "EUR")} if minor else None
    return credit_notes.issue(invoice, amounts, reason="x", at=day(offset), actor="staff:1")


def balance(subscription: Subscription) -> int:
    """Return what we owe the customer, in cents."""
    kind, customer = ledger.Kind.CUSTOMER_CREDIT, subscription.customer
    return -ledger.balance(kind, customer=customer, currency="EUR").minor


def spent(subscription: Subscription) -> int:
    """Return the money that came, less the set-up fee and what we owe the customer, in cents."""
    came = sum(Payment.objects.filter(state="succeeded").values_list("amount_minor", flat=True))
    return came - 49_00 - balance(subscription)


def credited() -> int:
    """Return all credit that the dialler was asked to add, in cents."""
    jobs = Job.objects.filter(kind=Job.Kind.CREDIT)
    return sum(job.amount_minor or 0 for job in jobs)
