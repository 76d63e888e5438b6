"""What the desk's first page counts: everything that waits for a person, each with its list."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Sum
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.timesince import timesince
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from billing import failed_refunds
from billing.desk import BANK_TRANSFER
from billing.models import (
    BankEntry,
    Declaration,
    DeletionRequest,
    Difference,
    GatewayEvent,
    Invoice,
    Mail,
    Payment,
    Refund,
    Run,
    Ticket,
)
from billing.payment_checks import NOT_BELIEVED
from packages.desk.cells import ICONS, TONES, amount_of, list_url
from packages.models import Proposal
from provisioning import pools, servers
from provisioning.models import Account, Drift, Job, Server

LATE = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class Card:
    """One figure; `tone` is ok, wait, warn or bad, `right` is needed to see it."""

    label: str
    value: str
    note: str
    tone: str
    url: str
    right: str

    @property
    def icon(self) -> str:
        return ICONS[self.tone]


def cards(*, at: datetime) -> list[Card]:
    """Return the cards as of now; reads only, one or two queries each."""
    return [
        _runs(),
        _parked_jobs(),
        _oldest_job(at),
        _drifts(),
        _proposals(),
        _events(),
        _refunds(),
        _differences(),
        _transfers(),
        _bank_entries(),
        _invoices(),
        _overdue(at),
        _declarations(),
        _tickets(),
        _deletions(),
        _mails(),
        _servers(),
        _unplaced(),
    ]


def _runs() -> Card:
    """The latest run of the calendar: one that staff must release stands in front of everything."""
    last, url = Run.objects.first(), list_url(Run)
    if last is None:
        return Card(_("Run of the calendar"), "–", _("none yet"), "ok", url, "billing.view_run")
    tone = TONES.get(last.state, "ok")
    note = last.get_state_display()
    return Card(
        _("Run of the calendar"),
        date_format(last.on),
        note,
        tone,
        url,
        "billing.view_run",
    )


def _parked_jobs() -> Card:
    count = Job.objects.filter(state=Job.State.PARKED).count()
    url = list_url(Job, state__exact="parked")
    note = _("decide in the list") if count else _("nothing stands still")
    return _counted(_("Jobs that need staff"), count, note, url, "provisioning.view_job")


def _oldest_job(at: datetime) -> Card:
    due = Job.objects.filter(state__in=(Job.State.WAITING, Job.State.RUNNING), run_at__lte=at)
    oldest = due.order_by("run_at").first()
    value = timesince(oldest.run_at, at, depth=1) if oldest else "–"
    tone = "ok" if oldest is None or at - oldest.run_at < LATE else "warn"
    note = _("of %(count)s due") % {"count": due.count()} if oldest else _("nothing is due")
    url = list_url(Job, state__in="waiting,running")
    return Card(_("Longest waiting job"), value, note, tone, url, "provisioning.view_job")


def _differences() -> Card:
    """Where gateways and books do not agree, and payments whose answer was not believed."""
    count = Difference.objects.filter(settled_at=None).count()
    doubtful = Payment.objects.filter(failure_code=NOT_BELIEVED).exclude(state="succeeded").count()
    url = (
        list_url(Difference, open="yes") if count else list_url(Payment, failure_code=NOT_BELIEVED)
    )
    note = _("look at each") if count or doubtful else _("books and gateways agree")
    label = _("Differences to gateways")
    return _counted(label, count + doubtful, note, url, "billing.view_difference")


def _drifts() -> Card:
    """Accounts that are not at the dialler as they should be, and that nobody has decided on."""
    count = Drift.objects.filter(state=Drift.State.OPEN).count()
    note = _("apply, accept or park") if count else _("all as it should be")
    url = list_url(Drift, state__exact="open")
    return _counted(_("Drift at the diallers"), count, note, url, "provisioning.view_drift")


def _proposals() -> Card:
    count = Proposal.objects.filter(state=Proposal.State.PROPOSED).count()
    note = _("approve or deny them") if count else _("none waits")
    url = list_url(Proposal, state__exact="proposed")
    return _counted(_("Proposals for a second person"), count, note, url, "packages.view_proposal")


def _events() -> Card:
    count = GatewayEvent.objects.filter(state=GatewayEvent.State.PARKED).count()
    url = list_url(GatewayEvent, state__exact="parked")
    note = _("fetch again or put aside") if count else _("all processed")
    return _counted(
        _("Gateway events that need staff"), count, note, url, "billing.view_gatewayevent"
    )


def _refunds() -> Card:
    count = failed_refunds.in_need().count()
    url = list_url(Refund, needs="staff")
    note = _("they stand still or came back") if count else _("none stands still")
    return _counted(_("Refunds that need staff"), count, note, url, "billing.view_refund")


def _transfers() -> Card:
    waiting = Payment.objects.filter(gateway=BANK_TRANSFER, state=Payment.State.CREATED)
    count = waiting.count()
    url = list_url(Payment, gateway__exact=BANK_TRANSFER, state__exact="created")
    note = _("compare with the bank statement") if count else _("none expected")
    tone = "wait" if count else "ok"
    return Card(_("Expected bank transfers"), str(count), note, tone, url, "billing.view_payment")


def _bank_entries() -> Card:
    count = BankEntry.objects.filter(state=BankEntry.State.OPEN).count()
    url = list_url(BankEntry, state__exact="open")
    note = _("assign them, or put them aside") if count else _("all booked")
    return _counted(_("Bank entries that need staff"), count, note, url, "billing.view_bankentry")


def _invoices() -> Card:
    return _invoice_card(_("Open invoices"), "wait", {"state__exact": "open"})


def _overdue(at: datetime) -> Card:
    filters = {"state__exact": "open", "due_on__lt": at.date().isoformat()}
    return _invoice_card(_("Overdue invoices"), "warn", filters)


def _invoice_card(label: str, tone: str, filters: dict[str, str]) -> Card:
    sums = (
        Invoice.objects.filter(**filters)
        .order_by("currency")
        .values("currency")
        .annotate(
            count=Count("id"),
            asked=Sum("total_minor"),
            came=Sum("paid_minor") + Sum("credited_minor"),
        )
    )
    rows = list(sums)
    count = sum(row["count"] for row in rows)
    note = " + ".join(amount_of(row["asked"] - row["came"], row["currency"]) for row in rows)
    return Card(
        label,
        str(count),
        note or _("nothing is owed"),
        tone if count else "ok",
        list_url(Invoice, **filters),
        "billing.view_invoice",
    )


def _declarations() -> Card:
    count = Declaration.objects.filter(state=Declaration.State.RECEIVED).count()
    url = list_url(Declaration, state__exact="received")
    note = _("decide within days") if count else _("all answered")
    right = "billing.view_declaration"
    return _counted(_("Cancellations and withdrawals that wait"), count, note, url, right)


def _tickets() -> Card:
    count = Ticket.objects.filter(state=Ticket.State.OPEN).count()
    url = list_url(Ticket, state__exact="open")
    note = _("answer, or close them") if count else _("all answered")
    return _counted(_("Support requests that wait"), count, note, url, "billing.view_ticket")


def _deletions() -> Card:
    count = DeletionRequest.objects.filter(state=DeletionRequest.State.RECEIVED).count()
    url = list_url(DeletionRequest, state__exact="received")
    note = _("answer within a month") if count else _("all answered")
    right = "billing.view_deletionrequest"
    return _counted(_("Deletions of data that wait"), count, note, url, right)


def _mails() -> Card:
    states = (Mail.State.FAILED, Mail.State.UNKNOWN)
    count = Mail.objects.filter(state__in=states).count()
    url = list_url(Mail, state__in=",".join(states))
    note = _("failed, or perhaps sent") if count else _("all handed over")
    return _counted(_("Mails that did not go out"), count, note, url, "billing.view_mail")


def _servers() -> Card:
    active = list(Server.objects.filter(active=True))
    well = sum(server.check_note.startswith(servers.WORKS) for server in active)
    note = ngettext("%(count)s server", "%(count)s servers", len(active)) % {"count": len(active)}
    ill = [server.name for server in active if not server.check_note.startswith(servers.WORKS)]
    return Card(
        _("Diallers that answer"),
        f"{well} / {len(active)}",
        ", ".join(ill)[:60] or note,
        "bad" if ill or not active else "ok",
        reverse("admin:provisioning_server_health"),
        "provisioning.view_server",
    )


def _unplaced() -> Card:
    count = pools.waiting().count()
    url = list_url(Account, placed__exact=0)
    note = _("add room on a server") if count else _("every account has its server")
    return _counted(_("Accounts without a server"), count, note, url, "provisioning.view_account")


def _counted(label: str, count: int, note: str, url: str, right: str) -> Card:
    return Card(label, str(count), note, "bad" if count else "ok", url, right)
