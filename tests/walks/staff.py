"""What staff do. A deed returns False when there was nothing to do it to."""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction

from billing import (
    credit_notes,
    credits,
    desk,
    disputes,
    pauses,
    price_campaigns,
    price_changes,
    refunds,
    rests,
    settlements,
    top_up_refunds,
)
from billing.models import (
    GatewayEvent,
    Invoice,
    Pause,
    Payment,
    PriceCampaign,
    PriceChange,
    Refund,
    Subscription,
)
from packages.models import Price
from packages.money import Money
from packages.states import record_change
from provisioning import desk as job_desk
from provisioning.models import Account, Job
from provisioning.simulator import accounts, truth
from tests.walks.customers import open_invoices
from tests.walks.shop import Shop, one_of

ACTOR = "staff:1"


def books_transfer(shop: Shop, pick: int, *, percent: int) -> bool:
    """Read on the bank statement that a part of an invoice, all of it, or more has come in."""
    invoice = one_of(open_invoices(), pick)
    if invoice is None:
        return False
    amount = Money(max(1, invoice.due.minor * percent // 100), invoice.currency)
    desk.book_transfer(invoice, amount, at=shop.now, actor=ACTOR)
    shop.transferred[invoice.customer_id] += amount.minor
    return True


def credits_invoice(shop: Shop, pick: int, *, part: int, refunded: bool) -> bool:
    """Credit an invoice in full, or so many percent of one of its lines; perhaps pay it back."""
    rows = Invoice.objects.filter(kind=Invoice.Kind.INVOICE, number__isnull=False)
    invoice = one_of(rows, pick)
    if invoice is None:
        return False
    amounts = None
    if part:
        left = [(line, rest) for line, rest in rests.left_of(invoice).items() if rest]
        if not left:
            return False
        line, rest = left[pick % len(left)]
        amounts = {line.pk: rest.fraction(part, 100)}
    if refunded:
        refunds.credit(
            invoice, amounts, way=Refund.Way.GATEWAY, reason="goodwill", at=shop.now, actor=ACTOR
        )
    else:
        credit_notes.issue(invoice, amounts, reason="goodwill", at=shop.now, actor=ACTOR)
    return True


def writes_off(shop: Shop, pick: int) -> bool:
    invoice = one_of(open_invoices(), pick)
    if invoice is None:
        return False
    settlements.write_off(invoice, reason="not worth it", at=shop.now, actor=ACTOR)
    return True


def refunds_balance(shop: Shop, pick: int, *, percent: int) -> bool:
    """Give back a part of what a customer has on the balance."""
    paid = Payment.objects.filter(state=Payment.State.SUCCEEDED)
    found = [(each, refunds.left_of(each)) for each in paid.order_by("-pk")[:8]]
    found = [(each, left) for each, left in found if left]
    if not found:
        return False
    payment, left = found[pick % len(found)]
    amount = Money(max(1, left.minor * percent // 100), left.currency)
    refunds.request(
        payment, amount, way=Refund.Way.GATEWAY, reason="asked for", at=shop.now, actor=ACTOR
    )
    return True


def ends_transfers(shop: Shop, pick: int, *, sent: bool) -> bool:
    """Send the money of a refund by transfer, or give a waiting or parked one up."""
    states = (Refund.State.REQUESTED, Refund.State.PARKED)
    refund = one_of(Refund.objects.filter(state__in=states), pick)
    if refund is None:
        return False
    if sent and refund.way == Refund.Way.TRANSFER:
        refunds.confirm(refund, reference="4711", at=shop.now, actor=ACTOR)
        shop.transferred[refund.payment.customer_id] -= refund.amount_minor
    elif sent and refund.state == Refund.State.PARKED:
        refunds.ask_again(refund, at=shop.now, actor=ACTOR)
    else:
        refunds.give_up(refund, reason="not sent", at=shop.now, actor=ACTOR)
    return True


def refunds_credit(shop: Shop, pick: int) -> bool:
    """Give back bought credit that was not used."""
    services = Subscription.objects.filter(account__isnull=False).order_by("-pk")[:8]
    found = [line for each in services for line, _ in top_up_refunds.refundable(each)]
    if not found:
        return False
    top_up_refunds.ask(found[pick % len(found)], reason="not needed", at=shop.now, actor=ACTOR)
    return True


def gives_credit(shop: Shop, pick: int, *, cents: int, days: int) -> bool:
    """Give free credit, for some days or for good."""
    account = one_of(Account.objects.filter(state="live"), pick)
    if account is None:
        return False
    expires_on = shop.on + timedelta(days=days) if days else None
    cause = f"gift-{account.pk}-{shop.now:%Y%m%d%H%M}"
    with transaction.atomic():
        credits.gift(
            account,
            Money(cents, "EUR"),
            expires_on=expires_on,
            cause=cause,
            reason="sorry",
            at=shop.now,
            actor=ACTOR,
        )
    return True


def pauses_dunning(shop: Shop, pick: int, *, days: int) -> bool:
    """Let dunning rest for an invoice, a service or a customer."""
    invoice = one_of(open_invoices(), pick)
    if invoice is None:
        return False
    line = invoice.lines.first()
    assert line is not None
    target = (invoice, line.subscription, invoice.customer)[pick % 3] or invoice
    until_on = shop.on + timedelta(days=days)
    pauses.begin(target, until_on=until_on, reason="?", on=shop.on, at=shop.now, actor=ACTOR)
    return True


def lifts_pause(shop: Shop, pick: int) -> bool:
    pause = one_of(Pause.objects.filter(until_on__gt=shop.on), pick)
    if pause is None:
        return False
    pauses.lift(pause, on=shop.on)
    return True


def changes_price(shop: Shop, *, slug: str, euros: int, days: int, existing: bool) -> bool:
    """Let a price change some days from now."""
    price = Price.objects.filter(package__slug=slug, currency="EUR", cycle="monthly").get()
    change = PriceChange.objects.create(
        price=price,
        amount_minor=max(100, price.amount_minor + euros * 100),
        credit_minor=max(0, price.credit_minor + euros * 50),
        effective_on=shop.on + timedelta(days=days),
        existing=existing,
    )
    record_change(change, before="", at=shop.now, actor=ACTOR, reason="drafted")
    price_changes.confirm(change, on=shop.on, at=shop.now, actor=ACTOR)
    return True


def runs_campaign(shop: Shop, *, percent: int, days: int, existing: bool) -> bool:
    """Let all monthly prices change together some days from now."""
    campaign = PriceCampaign.objects.create(
        name="Spring", effective_on=shop.on + timedelta(days=days), existing=existing
    )
    record_change(campaign, before="", at=shop.now, actor=ACTOR, reason="drafted")
    monthly = Price.objects.filter(currency="EUR", cycle="monthly", archived=False)
    price_campaigns.add(campaign, monthly, percent_bp=percent * 100)
    price_campaigns.confirm(campaign, on=shop.on, at=shop.now, actor=ACTOR)
    return True


def takes_prices_back(shop: Shop, pick: int) -> bool:
    """Withdraw a campaign, which may have been told by now."""
    campaign = one_of(PriceCampaign.objects.filter(state="confirmed"), pick)
    if campaign is None:
        return False
    price_campaigns.withdraw(campaign, at=shop.now, actor=ACTOR)
    return True


def ends_dispute(shop: Shop, pick: int) -> bool:
    rows = Payment.objects.filter(disputed_at__isnull=False, dispute_ended_at__isnull=True)
    payment = one_of(rows, pick)
    if payment is None:
        return False
    disputes.end(payment, at=shop.now)
    return True


def decides_on_parked_jobs(shop: Shop, pick: int) -> bool:
    """Look at the dialler, and say of a parked job what is true."""
    job = one_of(Job.objects.filter(state=Job.State.PARKED).select_related("account"), pick)
    if job is None:
        return False
    seen, proof = job.fence, "seen at the dialler"
    if _happened(shop, job):
        job_desk.mark_applied(
            job, proof=proof, seen=seen, at=shop.now, actor=ACTOR, remote_id=_remote_id(shop, job)
        )
    elif job_desk.attempt_in_doubt(job) is None:
        job_desk.verify_now(job, seen=seen, at=shop.now, actor=ACTOR)
    else:
        job_desk.mark_not_applied(job, proof=proof, seen=seen, at=shop.now, actor=ACTOR)
    return True


def looks_into_inbox(shop: Shop, pick: int, *, closes: bool) -> bool:
    """Fetch a parked event once more, or close it."""
    event = one_of(GatewayEvent.objects.filter(state=GatewayEvent.State.PARKED), pick)
    if event is None:
        return False
    if closes:
        desk.close_event(event, reason="dealt with", at=shop.now, actor=ACTOR)
    else:
        desk.process_again(event, at=shop.now, actor=ACTOR)
    return True


def _happened(shop: Shop, job: Job) -> bool:
    """Say whether the last command of a job took effect, by the dialler's own log."""
    with shop.dialler.store.transaction() as db:
        if job.kind in (Job.Kind.CREDIT, Job.Kind.TAKE_BACK):
            return any(each["reference"] == job.cause for each in truth.log(db)["effects"])
        account = accounts.by_name(db, job.account.username)
    expected = {
        Job.Kind.CREATE: account is not None,
        Job.Kind.TERMINATE: account is None,
        Job.Kind.SUSPEND: account is not None and not account["active"],
        Job.Kind.UNSUSPEND: account is not None and bool(account["active"]),
    }
    return expected.get(Job.Kind(job.kind), False)


def _remote_id(shop: Shop, job: Job) -> str:
    with shop.dialler.store.transaction() as db:
        account = accounts.by_name(db, job.account.username)
    return str(account["id"]) if account else ""
