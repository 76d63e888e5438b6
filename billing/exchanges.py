"""Exchange the package of a service: quote it, agree on it, take it back, carry it out in time."""

import uuid
from datetime import date, datetime

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import translation
from django.utils.translation import gettext as _

from billing import (
    change_mails,
    changes,
    credit_notes,
    emails,
    invoices,
    locks,
    quotes,
    remainders,
    subscriptions,
)
from billing.models import (
    Exchange,
    Invoice,
    InvoiceLine,
    Order,
    OrderLine,
    Payment,
    User,
    current_brand,
    paying,
)
from billing.quotes import NotExchangeable, Quote
from packages.models import Price
from packages.money import total
from packages.periods import business_day
from packages.states import record_change

ACTOR = "system:billing"
Mode = Exchange.Mode
# In the history, whatever language the customer speaks; see packages.desk.reasons.
WHEN = {Mode.NOW: "at once", Mode.AT_END: "at the end of the period"}
CHANGES = (OrderLine.Kind.EXCHANGE, OrderLine.Kind.RETURN)


class Changed(Exception):
    """The sums are not what was seen and agreed to; show them again."""


def place(
    quoted: Quote,
    *,
    seen: str,
    placed_by: User | None,
    language: str,
    at: datetime,
    actor: str,
    reason: str = "",
) -> Exchange:
    """Agree on what a quote says, if it still says what was `seen`; all or nothing.

    At the end of the period: it is stored, and the next renewal is invoiced by it. At once: what is
    to be paid becomes an order with its invoice, and its payment exchanges; otherwise the service
    is exchanged here and what is left over is credited. Locks the subscription. Raises Changed,
    NotExchangeable, tax.NoRate.
    """
    with transaction.atomic(), translation.override(language):
        held = locks.take(subscriptions=[quoted.subscription.pk])
        subscription = held.subscriptions[quoted.subscription.pk]
        on = business_day(at, subscription.zone)
        price = Price.objects.select_related("package__tariff").get(pk=quoted.price.pk)
        now = quotes.quote(subscription, price, on=on, mode=quoted.mode)
        if now.fingerprint != seen:
            raise Changed
        exchange = _store(now, reason=reason, at=at, actor=actor)
        if now.mode == Mode.AT_END:
            change_mails.exchange_scheduled(exchange, at=at)
        elif now.priced is not None:
            _order(exchange, now, placed_by=placed_by, language=language, at=at, actor=actor)
        else:
            _credit(exchange, now, at=at, actor=actor)
            changes.exchange(subscription, exchange, at=at, actor=actor)
    return exchange


def withdraw(exchange: Exchange, *, at: datetime, actor: str, reason: str = "taken back") -> None:
    """Take back an exchange that is not done yet; its unpaid order is cancelled. Locks both.

    Raises NotExchangeable when it is done, was invoiced with the next period, or is being paid.
    """
    with transaction.atomic():
        locks.take(subscriptions=[exchange.subscription_id])
        exchange = Exchange.objects.select_related(
            "subscription", "order_line__order__invoice"
        ).get(pk=exchange.pk)
        if exchange.state != Exchange.State.PENDING:
            raise NotExchangeable(_("This change is not pending any more."))
        if exchange.mode == Mode.AT_END and is_invoiced(exchange):
            raise NotExchangeable(_("The next period has been invoiced with it already."))
        if exchange.order_line is not None:
            _take_back(exchange.order_line.order.invoice, at=at, actor=actor)
        exchange.move(Exchange.State.CANCELLED, at=at, actor=actor, reason=reason)


def drop_scheduled(subscription_id: int, *, at: datetime, actor: str) -> None:
    """Take a scheduled exchange back because the service is cancelled; needs its lock.

    One that the next period was invoiced with stays: whoever pays that goes on with it.
    """
    scheduled = Exchange.objects.filter(
        subscription=subscription_id, mode=Mode.AT_END, state=Exchange.State.PENDING
    )
    for exchange in scheduled:
        if not is_invoiced(exchange):
            reason = "the service was cancelled"
            exchange.move(Exchange.State.CANCELLED, at=at, actor=actor, reason=reason)


def is_invoiced(exchange: Exchange) -> bool:
    """Say whether a period that a scheduled exchange is for was invoiced."""
    lines = InvoiceLine.objects.filter(
        subscription=exchange.subscription_id,
        kind=InvoiceLine.Kind.RECURRING,
        period_start_on__gte=exchange.on,
        corrects=None,
    )
    return lines.exclude(invoice__state=Invoice.State.CANCELLED).exists()


def carry_out(on: date, *, at: datetime) -> list[str]:
    """Do the scheduled exchanges whose period has begun and is paid; return whose they were.

    Each in a transaction of its own, with its subscription's lock. What is paid for later is done
    by its payment.
    """
    done = []
    for each in changes.begun(on):
        with transaction.atomic():
            held = locks.take(subscriptions=[each.subscription_id])
            subscription = held.subscriptions[each.subscription_id]
            if changes.take_up(subscription, on=on, at=at, actor=ACTOR):
                done.append(str(subscription))
    return done


def lapse(on: date, *, at: datetime) -> list[str]:
    """Take back the orders that were not paid in time, and those whose time was over when paid.

    What was paid becomes the customer's credit. Each in a transaction of its own; what is just
    being paid waits for the gateway's answer. Returns the invoices' numbers.
    """
    taken = []
    for order in [*late(on), *void()]:
        with transaction.atomic():
            held = locks.take_for_invoice(order.invoice)
            invoice = held.invoices[order.invoice.pk]
            # Paid meanwhile, and given.
            if held.orders[order.pk].state == Order.State.FULFILLED:
                continue
            _take_back(invoice, at=at, actor=ACTOR)
            agreed = Exchange.objects.filter(order_line__order=order, state=Exchange.State.PENDING)
            for exchange in agreed:
                reason = "not paid in time"
                exchange.move(Exchange.State.CANCELLED, at=at, actor=ACTOR, reason=reason)
        taken.append(str(invoice))
    return taken


def late(on: date) -> QuerySet[Order]:
    """Return the orders of a change that were not paid in time, nor are just being paid."""
    paid = Payment.objects.filter(paying(OuterRef("invoice")), state=Payment.State.PROCESSING)
    orders = Order.objects.filter(
        lines__kind__in=CHANGES,
        state=Order.State.PLACED,
        invoice__state=Invoice.State.OPEN,
        invoice__due_on__lt=on,
    )
    return orders.exclude(Exists(paid)).select_related("invoice")


def void() -> QuerySet[Order]:
    """Return the orders of a change whose time was over when they were paid."""
    orders = Order.objects.filter(
        lines__kind__in=CHANGES,
        state=Order.State.CANCELLED,
        invoice__state=Invoice.State.PAID,
        invoice__credit_notes__isnull=True,
    )
    return orders.select_related("invoice")


def _take_back(invoice: Invoice, *, at: datetime, actor: str) -> None:
    if Payment.objects.filter(paying(invoice), state=Payment.State.PROCESSING).exists():
        raise NotExchangeable(_("Its payment is just being confirmed."))
    with translation.override(invoice.language):
        reason = _("the order was not carried out")
    credit_notes.issue(invoice, reason=reason, at=at, actor=actor)


def _store(quoted: Quote, *, reason: str, at: datetime, actor: str) -> Exchange:
    subscription, price = quoted.subscription, quoted.price
    exchange = Exchange.objects.create(
        subscription=subscription,
        mode=quoted.mode,
        replaced=subscription.package,
        package=price.package,
        price=price,
        cycle=price.cycle,
        amount_minor=quoted.renewal.minor,
        credit_minor=price.credit.times(subscription.quantity).minor,
        limits=subscriptions.limits_of(price.package, subscription.quantity).to_json(),
        allowance=price.package.allowance,
        on=quoted.on,
        end_on=quoted.renews_on if quoted.mode == Mode.NOW else None,
        rest_minor=quoted.rest.minor,
        unused_minor=quoted.unused.minor,
        kept_minor=quoted.kept.minor,
        granted_minor=quoted.granted.minor,
        total_minor=quoted.total.minor,
        created_at=at,
    )
    said = ": ".join(filter(None, (WHEN[quoted.mode], reason)))
    record_change(exchange, before="", at=at, actor=actor, reason=said)
    return exchange


def _order(
    exchange: Exchange,
    quoted: Quote,
    *,
    placed_by: User | None,
    language: str,
    at: datetime,
    actor: str,
) -> None:
    """Make the order and issue its invoice, by the very draft that the quote was priced from."""
    assert quoted.remainder is not None, "Only within a period something is to be paid."
    assert quoted.priced is not None, "Only what is to be paid is ordered."
    subscription, price = quoted.subscription, quoted.price
    order = Order.objects.create(
        checkout_key=uuid.uuid4(),
        customer=subscription.customer,
        placed_by=placed_by,
        currency=price.currency,
        language=language,
        placed_at=at,
    )
    record_change(order, before="", at=at, actor=actor, reason="placed")
    exchange.order_line = OrderLine.objects.create(
        order=order,
        kind=OrderLine.Kind.EXCHANGE,
        package=price.package,
        subscription=subscription,
        name=price.package.text("name"),
        cycle=price.cycle,
        quantity=subscription.quantity,
        amount_minor=total(quoted.priced.units, price.currency).minor,
        credit_minor=quoted.granted.minor,
    )
    exchange.save(update_fields=["order_line"])
    line = exchange.order_line
    draft = quotes.draft(subscription, price, quoted.remainder, order=order, order_line=line)
    # The customer's balance may have paid it already, and then it is done.
    (invoice,) = invoices.issue([draft], current_brand(), at=at, actor=actor)
    emails.order_placed(order, invoice, at=at)
    exchange.refresh_from_db()


def _credit(exchange: Exchange, quoted: Quote, *, at: datetime, actor: str) -> None:
    assert quoted.remainder is not None
    rows = [paper.invoice for paper in quoted.remainder.papers]
    orders = [row.order_id for row in rows if row.order_id]
    locks.take(orders=orders, invoices=[row.pk for row in rows])
    over = quoted.unused - quoted.rest - quoted.kept
    with translation.override(quoted.subscription.customer.language):
        reason = _("exchange for %(package)s") % {"package": quoted.price.package.text("name")}
    notes = remainders.credit(quoted.remainder, over, reason=reason, at=at, actor=actor)
    exchange.credit_notes.set(notes)
