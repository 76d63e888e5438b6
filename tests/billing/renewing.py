"""Running services for tests whose subject is what comes after the first period."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import date, datetime, timedelta

from billing import deliveries
from billing.models import (
    Coupon,
    Customer,
    Invoice,
    InvoiceLine,
    LedgerAccount,
    LedgerTransaction,
    Order,
    OrderLine,
    Posting,
    Redemption,
    Subscription,
    SubscriptionPeriod,
)
from packages import rows
from packages.periods import period
from packages.states import record_changes
from provisioning.models import Account, Server
from tests import payments, world
from tests.billing import orders


def bought(*, at: datetime, slug: str = "business") -> Subscription:
    """Let a customer buy a package and pay it, by the flows."""
    user, customer = orders.buyer(at=at)
    order = orders.place(user, customer, slug, at=at)
    if order.invoice.due:
        payments.pay(order.invoice, at=at)
    return Subscription.objects.get()


def many(
    count: int, *, paid_until: date, at: datetime, slug: str = "business", discount_bp: int = 0
) -> None:
    """Insert so many paid monthly services, each of a customer of its own.

    With `discount_bp` a coupon lowers each renewal, so that its invoices have two lines.
    """
    price, server = world.price(slug), Server.objects.filter(currency="EUR")[0]
    have = Customer.objects.count()
    numbers = range(have, have + count)
    customers = rows.insert(
        Customer(
            name=f"Customer {index}",
            email=f"customer-{index}@example.com",
            country="DE",
            created_at=at,
        )
        for index in numbers
    )
    accounts = _accounts(server, numbers, at=at)
    anchor_on = anchor_of(paid_until)
    services = rows.insert(
        Subscription(
            customer=customer,
            account=account,
            package=price.package,
            price=price,
            state=Subscription.State.ACTIVE,
            currency="EUR",
            cycle="monthly",
            amount_minor=price.amount_minor,
            credit_minor=price.credit_minor,
            limits={},
            allowance="persist",
            zone="Europe/Berlin",
            anchor_on=anchor_on,
            paid_until=paid_until,
            next_invoice_on=paid_until - timedelta(days=7),
            created_at=at,
        )
        for customer, account in zip(customers, accounts, strict=True)
    )
    record_changes(services, before="", at=at, actor="test", reason="made")
    rows.insert(
        SubscriptionPeriod(
            subscription=each, index=0, start_on=anchor_on, end_on=paid_until, created_at=at
        )
        for each in services
    )
    if discount_bp:
        _redeemed(services, discount_bp, at=at)


def anchor_of(paid_until: date) -> date:
    """Return the anchor of a monthly service that has paid one period."""
    return period(paid_until, "monthly", -1).start_on


def prepay(services: Sequence[Subscription], *, at: datetime, minor: int = 1000_00) -> None:
    """Put so much onto the balance of each service's customer, each in a booking of its own.

    The database sums up a booking for each of its postings: one for all would take hours.
    """
    kinds = LedgerAccount.Kind
    clearing = LedgerAccount.objects.create(kind=kinds.CLEARING, name="test", currency="EUR")
    books = rows.add(
        LedgerAccount,
        [
            {"kind": kinds.CUSTOMER_CREDIT, "customer_id": each.customer_id, "currency": "EUR"}
            for each in services
        ],
    )
    causes = [{"cause": f"prepaid-{book}", "at": at} for book in books]
    bookings = zip(rows.add(LedgerTransaction, causes), books, strict=True)
    rows.add(
        Posting,
        [
            {"transaction_id": booking, "account_id": account, "amount_minor": side}
            for booking, book in bookings
            for account, side in ((clearing.pk, minor), (book, -minor))
        ],
    )


def _accounts(server: Server, numbers: Sequence[int], *, at: datetime) -> list[Account]:
    accounts = rows.insert(
        Account(
            server=server,
            username=f"customer-{index}",
            person={"name": "C", "email": "c@example.com"},
            limits={},
            created_at=at,
        )
        for index in numbers
    )
    record_changes(accounts, before="", at=at, actor="test", reason="planned")
    return accounts


def _redeemed(services: Sequence[Subscription], discount_bp: int, *, at: datetime) -> None:
    """Let a coupon without end lower the renewals of these services."""
    terms = {"percent_bp": discount_bp, "cycles": None}
    coupon, _new = Coupon.objects.get_or_create(code="ALWAYS", defaults=terms)
    orders = rows.insert(
        Order(
            checkout_key=uuid.uuid4(),
            customer=each.customer,
            # Its invoice is not part of this story.
            state=Order.State.CANCELLED,
            currency=each.currency,
            language="en",
            placed_at=at,
        )
        for each in services
    )
    record_changes(orders, before="", at=at, actor="test", reason="made")
    lines = rows.insert(
        OrderLine(
            order=order,
            kind=OrderLine.Kind.NEW,
            package=each.package,
            subscription=each,
            name="Business",
            cycle=each.cycle,
            amount_minor=each.amount_minor,
        )
        for each, order in zip(services, orders, strict=True)
    )
    rows.insert(
        Redemption(
            coupon=coupon,
            customer=each.customer,
            order_line=line,
            subscription=each,
            currency=each.currency,
            percent_bp=discount_bp,
            created_at=at,
        )
        for each, line in zip(services, lines, strict=True)
    )


def post(*, at: datetime) -> None:
    """Send the mails that wait, as the sweep does."""
    for mail_id in deliveries.waiting(at=at):
        deliveries.deliver(mail_id, at=at)


def renewals() -> list[Invoice]:
    """Return the invoices of periods, the oldest first."""
    lines = InvoiceLine.objects.filter(period_start_on__isnull=False)
    return list(Invoice.objects.filter(lines__in=lines).distinct().order_by("pk"))


def starts() -> list[str]:
    """Return the first days of the invoiced periods, in order."""
    lines = InvoiceLine.objects.filter(period_start_on__isnull=False)
    return [str(on) for on in lines.order_by("pk").values_list("period_start_on", flat=True)]
