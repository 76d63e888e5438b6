"""Row locks, always in one order: bank entry, subscription, order, invoice, payment, balance, saved
method; within a table by id.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TypeVar

from django.db import transaction
from django.db.models import Exists, Model, OuterRef, Q, QuerySet

from billing.models import (
    BankEntry,
    Coupon,
    Customer,
    Exchange,
    Invoice,
    InvoiceLine,
    LedgerAccount,
    Order,
    Payment,
    PaymentMethod,
    PriceCampaign,
    PriceChange,
    PriceNotice,
    Subscription,
)
from packages.periods import Cycle

Row = TypeVar("Row", bound=Model)
# Day of the next invoice, customer, and id.
Place = tuple[date, int, int]


@dataclass(frozen=True, slots=True)
class Held:
    """The locked rows as they are now; an earlier copy of them is stale."""

    subscriptions: dict[int, Subscription]
    orders: dict[int, Order]
    invoices: dict[int, Invoice]
    payments: dict[int, Payment]
    balances: dict[int, LedgerAccount]


def take(
    *,
    subscriptions: Iterable[int] = (),
    orders: Iterable[int] = (),
    invoices: Iterable[int] = (),
    payments: Iterable[int] = (),
    balances: Iterable[int] = (),
) -> Held:
    """Lock the rows with these ids and return them fresh; raise outside of a transaction.

    `balances` are those of the customers with these ids; one that was never used is no row yet.
    A lock that is not to be had within `lock_timeout` raises OperationalError, and nothing changed.
    """
    assert transaction.get_connection().in_atomic_block, "A lock needs a transaction to live in."
    services = Subscription.objects.select_for_update(of=("self",)).select_related("account")
    bills = Invoice.objects.select_for_update(of=("self",))
    begun = Payment.objects.select_for_update(of=("self",))
    kind = LedgerAccount.Kind.CUSTOMER_CREDIT
    accounts = LedgerAccount.objects.select_for_update().filter(kind=kind, customer__isnull=False)
    return Held(
        _by_id(services, "pk", subscriptions),
        _by_id(Order.objects.select_for_update(), "pk", orders),
        _by_id(bills.select_related("customer"), "pk", invoices),
        _by_id(begun.select_related("customer"), "pk", payments),
        _by_id(accounts, "customer_id", balances),
    )


def _by_id(rows: QuerySet[Row], name: str, wanted: Iterable[int]) -> dict[int, Row]:
    """Read the rows by these values of a column, or by a query for them, in the order of ids."""
    values = wanted if isinstance(wanted, QuerySet) else list(wanted)
    if isinstance(values, list) and not values:
        return {}
    return {row.pk: row for row in rows.filter(**{f"{name}__in": values}).order_by("pk")}


def take_for_payment(payment_id: int) -> tuple[Payment, Held]:
    """Lock a payment with all that it concerns: its invoices and what `take_for_invoices` locks."""
    payment = Payment.objects.select_related("invoice").get(pk=payment_id)
    held = take_for_invoices(payment.invoices, payments=[payment_id])
    locked = held.payments[payment_id]
    locked.invoice = held.invoices[locked.invoice_id]
    return locked, held


def take_entries(ids: Sequence[int], *, pass_by: bool = False) -> list[BankEntry]:
    """Lock bank entries, before all that they may pay, and return them in the order of `ids`.

    With `pass_by` those that another holds are left out.
    """
    rows = BankEntry.objects.select_for_update(of=("self",), skip_locked=pass_by)
    held = {row.pk: row for row in rows.filter(pk__in=ids).order_by("pk")}
    return [held[each] for each in ids if each in held]


def take_for_invoice(invoice: Invoice, *, payments: Iterable[int] = ()) -> Held:
    """Lock an invoice with its order, its lines' subscriptions and the customer's balance."""
    return take_for_invoices([invoice], payments=payments)


def take_for_invoices(invoices: Sequence[Invoice], *, payments: Iterable[int] = ()) -> Held:
    """Lock several invoices as `take_for_invoice` does one: at once, so that the order holds."""
    lines = InvoiceLine.objects.filter(invoice__in=invoices, subscription__isnull=False)
    return take(
        subscriptions=lines.values_list("subscription_id", flat=True).order_by(),
        orders=[each.order_id for each in invoices if each.order_id],
        invoices=[each.pk for each in invoices],
        payments=payments,
        balances={each.customer_id for each in invoices},
    )


def take_of_customer(customer: Customer) -> Held:
    """Lock all subscriptions of a customer, so that their sums stay as they are read."""
    return take(subscriptions=customer.subscriptions.values_list("pk", flat=True))


def due(on: date) -> QuerySet[Subscription]:
    """Return the subscriptions whose next invoice's day has come; locks nothing."""
    return Subscription.objects.filter(next_invoice_on__lte=on)


def allowances_due(on: date) -> QuerySet[Subscription]:
    """Return the subscriptions whose next allowance's day has come; locks nothing."""
    return Subscription.objects.filter(allowance_on__lte=on)


def take_due(
    on: date,
    *,
    limit: int,
    after: Place | None = None,
    but: Sequence[int] = (),
    only: Sequence[int] = (),
) -> list[Subscription]:
    """Lock the subscriptions whose next invoice is due, the earliest first, a customer's of a day
    together; pass locked ones by.

    What another runner holds is that runner's work, so two of them share a day and none waits.
    `after` goes on behind a place, `but` leaves these ids out, `only` takes no others.
    """
    assert transaction.get_connection().in_atomic_block, "A lock needs a transaction to live in."
    rows = due(on).exclude(pk__in=but)
    if only:
        rows = rows.filter(pk__in=only)
    if after is not None:
        day, customer_id, row_id = after
        theirs = Q(customer_id__gt=customer_id) | Q(customer=customer_id, id__gt=row_id)
        behind = Q(next_invoice_on__gt=day) | Q(theirs, next_invoice_on=day)
        rows = rows.filter(behind, next_invoice_on__gte=day)
    rows = rows.annotate(has_agreed=Exists(agreed()), was_told=Exists(told()))
    rows = rows.order_by("next_invoice_on", "customer_id", "id")
    rows = rows.select_for_update(of=("self",), skip_locked=True)
    return list(rows.select_related("customer").prefetch_related("package")[:limit])


def take_allowances(on: date, *, limit: int) -> list[Subscription]:
    """Lock the subscriptions whose next allowance is due; pass by those locked by another."""
    assert transaction.get_connection().in_atomic_block, "A lock needs a transaction to live in."
    due = allowances_due(on).order_by("allowance_on", "id")
    rows = due.select_for_update(of=("self",), skip_locked=True)
    return list(rows.select_related("account")[:limit])


def take_cycle(cycle: Cycle) -> QuerySet[Subscription]:
    """Lock all subscriptions of a cycle whose next invoice has its day, in their order; return
    them as a query. It loads no rows: there may be very many.
    """
    rows = Subscription.objects.filter(cycle=cycle, next_invoice_on__isnull=False)
    list(rows.order_by("id").select_for_update(of=("self",)).values_list("id", flat=True))
    return rows


def agreed() -> QuerySet[Exchange]:
    """Return a subscription's scheduled exchange; few have one, so it is read for those alone."""
    at_end, pending = Exchange.Mode.AT_END, Exchange.State.PENDING
    return Exchange.objects.filter(subscription=OuterRef("pk"), mode=at_end, state=pending)


def told() -> QuerySet[PriceNotice]:
    """Return a subscription's notices of a price that is not its own yet; few have one."""
    return PriceNotice.objects.filter(subscription=OuterRef("pk"), applies_from__isnull=True)


def take_methods(customer_id: int) -> list[PaymentMethod]:
    """Lock all saved methods of a customer: which one is the default concerns every one."""
    assert transaction.get_connection().in_atomic_block, "A lock needs a transaction to live in."
    rows = PaymentMethod.objects.select_for_update(of=("self",)).filter(customer=customer_id)
    return list(rows.order_by("pk"))


def take_coupon(coupon_id: int) -> Coupon:
    """Lock a coupon and return it fresh: who counts its uses adds one before anybody else does.

    It comes before all other locks but that of the customer's user.
    """
    return Coupon.objects.select_for_update().get(pk=coupon_id)


def place_of(subscription: Subscription) -> Place:
    """Return where a subscription that is due stands in the order of `take_due`."""
    assert subscription.next_invoice_on is not None, "What is due has its day."
    return subscription.next_invoice_on, subscription.customer_id, subscription.pk


def take_price_campaign(campaign_id: int) -> PriceCampaign:
    """Lock a price campaign, before its price changes, and return it fresh."""
    return PriceCampaign.objects.select_for_update().get(pk=campaign_id)


def take_price_change(change_id: int) -> PriceChange:
    """Lock a price change, before all other locks, and return it fresh."""
    return (
        PriceChange.objects.select_for_update(of=("self",))
        .select_related("price__package")
        .get(pk=change_id)
    )
