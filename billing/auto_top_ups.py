"""Buy credit by itself when it runs low, as the customer ordered in advance.

A purchase is an order with its invoice like any other, and a charge of the customer's default
method. It is begun by a reading of the balance, at most one at a time and for each reading, never
above the month's ceiling. Nothing here speaks HTTP: the charge is a row that is sent after commit.
"""

import uuid
from datetime import date, datetime, timedelta
from typing import Any

import structlog
from django.db import IntegrityError, transaction
from django.db.models import Exists, F, OuterRef, Sum
from django.utils.translation import gettext_lazy as _

from billing import charges, credit_notes, locks, methods, payments, tax, top_up_emails, top_ups
from billing.gateways.failures import VERDICTS, Verdict
from billing.models import (
    AutoPurchase,
    AutoTopUp,
    Brand,
    Invoice,
    Order,
    Payment,
    Subscription,
    current_brand,
    paying,
)
from billing.top_up_limits import Refused
from packages.doorbell import ring
from packages.money import Money
from packages.periods import business_day
from packages.states import record_change
from packages.sweeping import each
from provisioning.models import Account, Job

log = structlog.get_logger()

ACTOR = "system:auto-top-up"
NAMESPACE = uuid.UUID("5f0c9a52-7c7d-4d0e-9a55-6b1f0d3f9c11")
BATCH = 500
# A balance that was read longer ago says nothing about now.
FRESH = timedelta(days=1)
AGAIN_AFTER = timedelta(days=1)
# So often a purchase is charged before it is taken back.
TRIES = 2

# How the reason begins for which a declined charge switches it off; its code follows.
DECLINED = "declined: "
PAUSES = {
    "service": _("the service does not run"),
    "overdue": _("an invoice is overdue"),
    "method": _("there is no payment method that may be charged automatically"),
    "month": _("the ceiling of this month is reached"),
    "limit": _("it would pass the limit of top-ups for your account"),
    "terms": _("this amount is not sold at the moment"),
}


def switch_on(
    subscription: Subscription,
    *,
    below: Money,
    amount: Money,
    month: Money,
    consent: dict[str, Any],
    at: datetime,
    actor: str,
) -> AutoTopUp:
    """Keep the customer's standing order, or other sums for it, with the words agreed to.

    Takes the subscription's lock. Raises top_ups.OutOfRange, top_ups.NotForSale.
    """
    with transaction.atomic():
        held = locks.take(subscriptions=[subscription.pk]).subscriptions[subscription.pk]
        terms = top_ups.terms_of(held)
        if terms is None:
            raise top_ups.NotForSale
        if not terms.smallest <= amount <= terms.largest or month < amount or below.minor <= 0:
            raise top_ups.OutOfRange
        known = AutoTopUp.objects.filter(subscription=held).first()
        auto = known or AutoTopUp(subscription=held)
        auto.below_minor, auto.amount_minor, auto.month_minor = (
            money.minor for money in (below, amount, month)
        )
        auto.consent, auto.agreed_at = consent, at
        reason = f"below {below} buy {amount}, {month} a month"
        if known is None:
            auto.save()
            record_change(auto, before="", at=at, actor=actor, reason=reason)
        else:
            also = ("below_minor", "amount_minor", "month_minor", "consent", "agreed_at")
            auto.move(AutoTopUp.State.ON, at=at, actor=actor, reason=reason, also=also)
    return auto


def switch_off(subscription: Subscription, *, reason: str, at: datetime, actor: str) -> None:
    """Buy nothing more by itself; a purchase that was begun goes on. Takes the lock."""
    with transaction.atomic():
        locks.take(subscriptions=[subscription.pk])
        auto = AutoTopUp.objects.filter(subscription=subscription, state=AutoTopUp.State.ON).first()
        if auto is not None:
            auto.move(AutoTopUp.State.OFF, at=at, actor=actor, reason=reason)


def run(*, at: datetime) -> None:
    """Follow up what was bought, then buy for whose balance is below; as often as you like."""
    purchases = AutoPurchase.objects.filter(closed_at__isnull=True).order_by("pk")
    each(purchases.values_list("pk", flat=True)[:BATCH], lambda pk: follow(pk, at=at))
    low = AutoTopUp.objects.filter(
        ~Exists(purchases.filter(auto=OuterRef("pk"))),
        state=AutoTopUp.State.ON,
        subscription__account__balance_minor__lt=F("below_minor"),
        subscription__account__balance_at__gt=at - FRESH,
    )
    each(low.order_by("pk").values_list("pk", flat=True)[:BATCH], lambda pk: buy(pk, at=at))


def pause_of(auto: AutoTopUp, *, at: datetime) -> str:
    """Return why nothing would be bought now, one of PAUSES; empty when it would."""
    subscription = auto.subscription
    account, on = subscription.account, business_day(at, subscription.zone)
    running = subscription.state == Subscription.State.ACTIVE and subscription.ends_on is None
    if not running or account is None or account.state != Account.State.LIVE:
        return "service"
    overdue = Invoice.objects.filter(
        customer=subscription.customer, state=Invoice.State.OPEN, due_on__lt=on
    )
    if overdue.exists():
        return "overdue"
    method = methods.default_of(subscription.customer)
    if method is None or not subscription.customer.pays_automatically or method.is_expired(on):
        return "method"
    if auto.month < bought_in(auto, on) + auto.amount:
        return "month"
    return ""


def bought_in(auto: AutoTopUp, on: date) -> Money:
    """Add what was bought by itself in that day's calendar month and not taken back."""
    rows = auto.purchases.filter(on__year=on.year, on__month=on.month)
    rows = rows.exclude(order__state=Order.State.CANCELLED)
    minor = rows.aggregate(sum=Sum("amount_minor"))["sum"] or 0
    return Money(minor, auto.subscription.currency)


def bought_now(auto: AutoTopUp, *, at: datetime) -> Money:
    """Add what was bought by itself in the calendar month so far."""
    return bought_in(auto, business_day(at, auto.subscription.zone))


def buy(auto_id: int, *, at: datetime) -> AutoPurchase | None:
    """Buy once for the balance as last read, unless something speaks against it.

    One transaction with the locks of the customer's subscriptions: order, issued invoice, purchase
    and the charge that waits to be sent. None when nothing was bought.
    """
    found = AutoTopUp.objects.select_related("subscription__customer").get(pk=auto_id)
    try:
        with transaction.atomic():
            held = locks.take_of_customer(found.subscription.customer)
            auto = AutoTopUp.objects.get(pk=auto_id)
            auto.subscription = held.subscriptions[auto.subscription_id]
            if not _wanted(auto, at=at) or pause_of(auto, at=at):
                return None
            return _buy(auto, current_brand(), at=at)
    except (Refused, top_ups.NotForSale, top_ups.OutOfRange, tax.NoRate) as error:
        log.info("auto_top_up.paused", auto=auto_id, reason=type(error).__name__)
    except (IntegrityError, payments.MethodGone, payments.NotPayable) as error:
        # Another worker bought for this reading, or the method has just been removed.
        log.info("auto_top_up.not_bought", auto=auto_id, reason=type(error).__name__)
    return None


def _wanted(auto: AutoTopUp, *, at: datetime) -> bool:
    """Say whether a fresh balance, read after all credit so far had arrived, is below the sum."""
    account = auto.subscription.account
    if auto.state != AutoTopUp.State.ON or account is None or account.balance_minor is None:
        return False
    assert account.balance_at is not None, "A known balance was read at some time."
    coming = account.jobs.filter(kind=Job.Kind.CREDIT, state__in=Job.UNFINISHED)
    last = auto.purchases.first()
    if coming.exists() or (last is not None and last.closed_at is None):
        return False
    if last is not None and last.closed_at is not None and account.balance_at <= last.closed_at:
        return False
    return account.balance_at > at - FRESH and account.balance_minor < auto.below_minor


def _buy(auto: AutoTopUp, brand: Brand, *, at: datetime) -> AutoPurchase:
    subscription, on = auto.subscription, business_day(at, brand.zone)
    account, customer = subscription.account, subscription.customer
    assert account is not None, "What runs has its account."
    assert account.balance_at is not None, "A known balance was read at some time."
    wish = top_ups.Wish(subscription, auto.amount)
    quoted = top_ups.quote(wish, brand, language=customer.language, on=on)
    order = top_ups.order(
        wish,
        brand,
        key=uuid.uuid5(NAMESPACE, f"{auto.pk}:{account.balance_at}"),
        placed_by=None,
        language=customer.language,
        consents=auto.consent,
        seen=quoted.fingerprint,
        on=on,
        at=at,
        actor=ACTOR,
    )
    purchase = AutoPurchase.objects.create(
        auto=auto,
        order=order,
        read_at=account.balance_at,
        on=business_day(at, subscription.zone),
        amount_minor=auto.amount_minor,
        month_minor=auto.month_minor,
    )
    _charge(order.invoice, at=at)
    return purchase


def _charge(invoice: Invoice, *, at: datetime) -> None:
    """Write the charge down and ring for it; nothing is charged where nothing is due."""
    if invoice.due:
        method = methods.default_of(invoice.customer)
        if method is None:
            raise payments.MethodGone
        ring(charges.send_charge, charges.ask(invoice, method, at=at, actor=ACTOR).pk)


def follow(purchase_id: int, *, at: datetime) -> None:
    """Close a purchase whose credit has arrived; charge again or take back what was declined.

    Takes the locks of the purchase's order. A repetition changes nothing.
    """
    invoice = Invoice.objects.get(order__auto_purchase=purchase_id)
    with transaction.atomic():
        held = locks.take_for_invoice(invoice)
        purchase = AutoPurchase.objects.select_related("auto").get(pk=purchase_id)
        order = held.orders[purchase.order_id]
        purchase.auto.subscription = held.subscriptions[purchase.auto.subscription_id]
        if purchase.closed_at is not None:
            return
        if order.state == Order.State.CANCELLED or _credited(order):
            _close(purchase, at=at)
        elif order.state == Order.State.PLACED:
            _dun(purchase, held.invoices[invoice.pk], at=at)


def _credited(order: Order) -> bool:
    line = order.lines.get()
    job = Job.objects.filter(cause=f"order-line-{line.pk}:credit").first()
    return job is not None and job.state not in Job.UNFINISHED


def _dun(purchase: AutoPurchase, invoice: Invoice, *, at: datetime) -> None:
    """Read what became of the charge: what may pass is tried once more a day later."""
    tried = list(invoice.payments.filter(method__isnull=False).order_by("pk"))
    last = tried[-1] if tried else None
    if Payment.objects.filter(paying(invoice), state=Payment.State.PROCESSING).exists():
        return
    verdict = VERDICTS.get(last.failure_code, Verdict.LATER) if last else Verdict.LATER
    usable = methods.default_of(invoice.customer) is not None
    if verdict != Verdict.LATER or len(tried) >= TRIES or not usable:
        _stop(purchase, invoice, last, at=at)
    elif purchase.charge_again_at is None:
        purchase.charge_again_at = at + AGAIN_AFTER
        purchase.save(update_fields=["charge_again_at"])
    elif purchase.charge_again_at <= at:
        _charge(invoice, at=at)


def _stop(purchase: AutoPurchase, invoice: Invoice, last: Payment | None, *, at: datetime) -> None:
    """Take the purchase back, switch the standing order off, and say so."""
    code = (last.failure_code if last else "") or "payment_failed"
    credit_notes.issue(invoice, reason="automatic top-up not paid", at=at, actor=ACTOR)
    _close(purchase, at=at)
    if purchase.auto.state == AutoTopUp.State.ON:
        purchase.auto.move(AutoTopUp.State.OFF, at=at, actor=ACTOR, reason=f"{DECLINED}{code}")
    top_up_emails.auto_top_up_stopped(purchase, code=code, at=at)


def _close(purchase: AutoPurchase, *, at: datetime) -> None:
    purchase.closed_at = at
    purchase.save(update_fields=["closed_at"])
