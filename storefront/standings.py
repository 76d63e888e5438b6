"""Where a service stands, in plain words: paid for, running at the dialler, what is going on."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing.gateways.bank_transfer import BankTransfer
from billing.models import Invoice, Mail, Order, Payment, Subscription, Ticket
from packages.money import Money
from provisioning.models import Account, Job

OK, WAIT, WARN, BAD, PLAIN = "ok", "wait", "warn", "bad", ""

PROGRESS = {
    Job.Kind.CREATE: gettext_lazy("Your account is being set up at the dialler."),
    Job.Kind.SET_LIMITS: gettext_lazy("Channels, tariff and services are being set."),
    Job.Kind.CREDIT: gettext_lazy("Credit is being added to your account."),
    Job.Kind.SUSPEND: gettext_lazy("Your account is being suspended."),
    Job.Kind.UNSUSPEND: gettext_lazy("Your account is being started again."),
    Job.Kind.CHANGE_PASSWORD: gettext_lazy("Your new dialler password is being set."),
    Job.Kind.TERMINATE: gettext_lazy("Your account is going to be deleted at the dialler."),
}
PARKED = {
    Job.Kind.CREATE: gettext_lazy("The set-up of your account is being checked by our staff."),
    Job.Kind.SET_LIMITS: gettext_lazy("The limits of your account are being checked by our staff."),
    Job.Kind.CREDIT: gettext_lazy("A credit to your account is being checked by our staff."),
    Job.Kind.CHANGE_PASSWORD: gettext_lazy("Your new password is being checked by our staff."),
}


@dataclass(frozen=True, slots=True)
class Standing:
    """A state for people: `word` says it, `kind` chooses the icon (templates/_state.html)."""

    kind: str
    word: str


@dataclass(frozen=True, slots=True)
class Note:
    """Something under way at the dialler."""

    kind: str
    text: str
    amount: Money | None = None
    # Not before then; what is deleted stays until then.
    run_at: datetime | None = None


def overall(subscription: Subscription, jobs: Sequence[Job], *, on: date) -> Standing:
    """Return the one word for a list: what keeps the service from running, or that it runs."""
    paid, runs = paid_for(subscription, on=on), running(subscription.account, jobs)
    if subscription.state != Subscription.State.ACTIVE:
        return paid
    if runs.kind == OK and paid.kind != OK:
        return paid
    return runs


def paid_for(subscription: Subscription, *, on: date) -> Standing:
    """Say whether the service is paid for on that day, which is billing's side of its state."""
    if subscription.state == Subscription.State.PENDING:
        return Standing(WAIT, _("Waiting for payment"))
    if subscription.state == Subscription.State.SUSPENDED:
        return Standing(BAD, _("Suspended"))
    if subscription.state == Subscription.State.ENDED:
        return Standing(PLAIN, _("Ended"))
    if not subscription.recurs:
        return Standing(OK, _("Pay as you go"))
    if subscription.anchor_on and on < subscription.anchor_on:
        return Standing(OK, _("Trial"))
    if subscription.paid_until and on >= subscription.paid_until:
        return Standing(WARN, _("Payment due"))
    return Standing(OK, _("Paid"))


def running(account: Account | None, jobs: Sequence[Job]) -> Standing:
    """Say whether the account runs at the dialler; `jobs` are its unfinished ones."""
    if account is None:
        return Standing(PLAIN, _("Not set up yet"))
    if account.state == Account.State.PLANNED:
        if any(job.state == Job.State.PARKED for job in jobs):
            return Standing(WARN, _("Being checked by our staff"))
        return Standing(WAIT, _("Being set up"))
    if account.state == Account.State.LIVE:
        return Standing(OK, _("Running"))
    if account.state == Account.State.SUSPENDED:
        return Standing(BAD, _("Suspended"))
    return Standing(PLAIN, _("Closed"))


def notes(jobs: Sequence[Job]) -> list[Note]:
    """Say what is under way, in the order it was asked for; reading a balance needs no word.

    While the account does not exist yet, that alone is said: the rest is part of setting it up.
    """
    creating = [job for job in jobs if job.kind == Job.Kind.CREATE]
    return [_note(job) for job in creating or jobs if job.kind in PROGRESS]


def of_invoice(invoice: Invoice, *, on: date, confirming: bool) -> Standing:
    """Return an invoice's state; while a payment is being confirmed, nothing is called overdue."""
    if invoice.state == Invoice.State.PAID:
        return Standing(OK, _("Paid"))
    if invoice.is_credit_note:
        return Standing(PLAIN, _("Credit note"))
    if invoice.state != Invoice.State.OPEN:
        return Standing(PLAIN, str(invoice.get_state_display()).capitalize())
    if confirming:
        return Standing(WAIT, _("Payment being confirmed"))
    if invoice.due_on and invoice.due_on < on:
        return Standing(BAD, _("Overdue"))
    return Standing(WARN, _("Open"))


def of_order(order: Order) -> Standing:
    """Return what became of an order; whether its services run is theirs to say."""
    if order.state == Order.State.FULFILLED:
        return Standing(OK, _("Paid"))
    if order.state == Order.State.CANCELLED:
        return Standing(PLAIN, _("Cancelled"))
    return Standing(WAIT, _("Waiting for payment"))


def of_payment(payment: Payment) -> Standing:
    """Return what became of a payment; what went back of it has its own words."""
    if payment.state == Payment.State.SUCCEEDED:
        if payment.is_disputed:
            return Standing(WARN, _("Disputed"))
        return Standing(OK, _("Received"))
    if payment.state == Payment.State.FAILED:
        return Standing(BAD, _("Not paid"))
    if payment.state == Payment.State.PROCESSING:
        return Standing(WAIT, _("Being confirmed"))
    if payment.gateway == BankTransfer.code and payment.state == Payment.State.CREATED:
        return Standing(WAIT, _("Transfer announced"))
    return Standing(PLAIN, _("Begun, not finished"))


def of_mail(mail: Mail) -> Standing:
    """Say whether a mail has left us; what may have left is not called failed."""
    if mail.state == Mail.State.SENT:
        return Standing(OK, _("Sent"))
    if mail.state == Mail.State.FAILED:
        return Standing(BAD, _("Not delivered"))
    if mail.state == Mail.State.UNKNOWN:
        return Standing(WARN, _("Perhaps sent"))
    return Standing(WAIT, _("Being sent"))


def of_ticket(ticket: Ticket) -> Standing:
    """Say whose turn it is."""
    if ticket.state == Ticket.State.ANSWERED:
        return Standing(OK, _("Answered"))
    if ticket.state == Ticket.State.CLOSED:
        return Standing(PLAIN, _("Closed"))
    return Standing(WAIT, _("Waits for us"))


def _note(job: Job) -> Note:
    kind = Job.Kind(job.kind)
    amount = None if job.amount_minor is None else Money(job.amount_minor, job.currency)
    if job.state == Job.State.PARKED:
        parked = PARKED.get(kind) or _("A change to your account is being checked by our staff.")
        return Note(WARN, str(parked), amount)
    run_at = job.run_at if kind == Job.Kind.TERMINATE else None
    return Note(WAIT, str(PROGRESS[kind]), amount, run_at)
