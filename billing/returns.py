"""Bring an ended service back: at once in time that is paid for, else by an order's payment."""

import uuid
from datetime import date, datetime, timedelta

from django.db import IntegrityError, transaction
from django.utils import translation
from django.utils.translation import gettext as _

from billing import changes, emails, invoices, locks
from billing.models import (
    Invoice,
    InvoiceLine,
    Order,
    OrderLine,
    Subscription,
    User,
    current_brand,
)
from packages.periods import business_day, period
from packages.states import history_of, record_change
from provisioning import jobs


class NotReturnable(Exception):
    """The account is deleted or about to be, something is unpaid, or the price is not as seen."""


def is_free(subscription: Subscription, *, on: date) -> bool:
    """Say whether an ended service can be brought back without paying: see `reopen`."""
    return changes.can_return(subscription) and changes.is_paid(subscription, on=on)


def reopen(
    subscription: Subscription, *, at: datetime, actor: str, reason: str = "returned"
) -> None:
    """Let a service that was ended at once run on, as long as time that was paid for is left.

    Locks it; raises NotReturnable. A repetition finds it running.
    """
    with transaction.atomic():
        held = locks.take(subscriptions=[subscription.pk]).subscriptions[subscription.pk]
        if not changes.reopen(held, reason=reason, at=at, actor=actor):
            raise NotReturnable("not ended, no paid time left, or the account is deleted")


def quote(subscription: Subscription, *, on: date) -> invoices.Priced:
    """Price a new period from today by the service's own terms; nothing is stored.

    Raises NotReturnable, tax.NoRate.
    """
    _check(subscription, on=on)
    return invoices.price(_draft(subscription, on), current_brand(), on=on)


def seen(priced: invoices.Priced) -> str:
    """Name what a page shows; the form sends it back, so that nothing else is ordered."""
    return f"{priced.sums.total.minor}{priced.draft.currency}"


def place(
    subscription: Subscription,
    *,
    seen: str,
    placed_by: User | None,
    language: str,
    at: datetime,
    actor: str,
) -> Order:
    """Order the service's return with its issued invoice, once for each end of it.

    A repetition returns the first order, unless that was taken back. It can be paid until its due
    date, at most until the day before the account is deleted. Locks the subscription. Raises
    NotReturnable, tax.NoRate.
    """
    try:
        with transaction.atomic(), translation.override(language):
            held = locks.take(subscriptions=[subscription.pk])
            return _place(
                held.subscriptions[subscription.pk],
                expected=seen,
                placed_by=placed_by,
                language=language,
                at=at,
                actor=actor,
            )
    except IntegrityError:
        placed = Order.objects.filter(checkout_key=_key(subscription)).first()
        if placed is None:
            raise
        return placed


def _place(
    subscription: Subscription,
    *,
    expected: str,
    placed_by: User | None,
    language: str,
    at: datetime,
    actor: str,
) -> Order:
    on = business_day(at, subscription.zone)
    placed = Order.objects.filter(checkout_key=_key(subscription)).first()
    if placed is not None:
        return placed
    if seen(quote(subscription, on=on)) != expected:
        raise NotReturnable("the price is not what was seen")
    order = Order.objects.create(
        checkout_key=_key(subscription),
        customer=subscription.customer,
        placed_by=placed_by,
        currency=subscription.currency,
        language=language,
        placed_at=at,
    )
    record_change(order, before="", at=at, actor=actor, reason="placed")
    line = OrderLine.objects.create(
        order=order,
        kind=OrderLine.Kind.RETURN,
        package=subscription.package,
        subscription=subscription,
        name=subscription.package.text("name"),
        cycle=subscription.cycle,
        quantity=subscription.quantity,
        amount_minor=subscription.amount_minor,
        credit_minor=subscription.credit_minor,
    )
    draft = _draft(subscription, on, order, line)
    (invoice,) = invoices.issue([draft], current_brand(), at=at, actor=actor)
    emails.order_placed(order, invoice, at=at)
    return order


def _key(subscription: Subscription) -> uuid.UUID:
    """Return one key for each end of the service. What was not paid in time is ordered anew."""
    ended = history_of(subscription).filter(after=Subscription.State.ENDED)
    lapsed = Order.objects.filter(
        lines__kind=OrderLine.Kind.RETURN,
        lines__subscription=subscription,
        state=Order.State.CANCELLED,
    )
    parts = (ended.count(), lapsed.count())
    return uuid.uuid5(subscription.public_id, "return-" + "-".join(map(str, parts)))


def _check(subscription: Subscription, *, on: date) -> None:
    if not changes.can_return(subscription) or changes.is_paid(subscription, on=on):
        raise NotReturnable("not ended, paid for, or the account is deleted")
    unpaid = {"lines__subscription": subscription, "lines__kind": InvoiceLine.Kind.RECURRING}
    if Invoice.objects.filter(state=Invoice.State.OPEN, order=None, **unpaid).exists():
        raise NotReturnable("an earlier period is not paid")


def _draft(
    subscription: Subscription,
    on: date,
    order: Order | None = None,
    line: OrderLine | None = None,
) -> invoices.Draft:
    words = {
        "package": subscription.package.text("name"),
        "cycle": subscription.get_cycle_display(),
    }
    assert subscription.account is not None, "What can return has its account."
    deleted_at = jobs.terminates_at(subscription.account)
    assert deleted_at is not None, "What can return is not being deleted."
    last_on = business_day(deleted_at, subscription.zone) - timedelta(days=1)
    charge = invoices.Line(
        InvoiceLine.Kind.RECURRING,
        _("%(package)s, %(cycle)s: from its return") % words,
        subscription.unit,
        subscription,
        line,
        quantity=subscription.quantity,
        supplied_on=period(on, subscription.cycle, 0).last_on,
    )
    return invoices.Draft(
        subscription.customer,
        subscription.currency,
        (translation.get_language() or subscription.customer.language).split("-")[0],
        (charge,),
        order,
        min(on + timedelta(days=current_brand().due_days), last_on),
    )
