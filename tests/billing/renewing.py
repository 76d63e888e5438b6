"""Running services for tests whose subject is what comes after the first period."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from billing import deliveries
from billing.models import Customer, Invoice, InvoiceLine, Subscription, SubscriptionPeriod
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


def many(count: int, *, paid_until: date, at: datetime, slug: str = "business") -> None:
    """Insert so many paid monthly services, each of a customer of its own."""
    price, server = world.price(slug), Server.objects.filter(currency="EUR")[0]
    customers = Customer.objects.bulk_create(
        Customer(
            name=f"Customer {index}",
            email=f"customer-{index}@example.com",
            country="DE",
            created_at=at,
        )
        for index in range(count)
    )
    accounts = Account.objects.bulk_create(
        Account(
            server=server,
            username=f"customer-{index}",
            person={"name": "C", "email": "c@example.com"},
            limits={},
            created_at=at,
        )
        for index in range(count)
    )
    record_changes(accounts, before="", at=at, actor="test", reason="planned")
    anchor_on = period(paid_until, "monthly", -1).start_on
    rows = Subscription.objects.bulk_create(
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
    record_changes(rows, before="", at=at, actor="test", reason="made")
    SubscriptionPeriod.objects.bulk_create(
        SubscriptionPeriod(
            subscription=row, index=0, start_on=anchor_on, end_on=paid_until, created_at=at
        )
        for row in rows
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
