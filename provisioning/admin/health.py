"""The health of the servers on one page: does each answer, what waits for it, what went wrong."""

import re
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Max, Min, Q
from django.utils.translation import gettext as _

from packages.desk import reasons
from packages.desk.cells import EMPTY, counted, elapsed, link
from provisioning import servers
from provisioning.admin.pools import held
from provisioning.admin.server_deeds import told
from provisioning.models import Account, Attempt, Circuit, Drift, Job, Server, UnknownAccount

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
CLEAR = (Attempt.Outcome.DONE, Attempt.Outcome.APPLIED)


def rows(*, at: datetime) -> list[dict[str, Any]]:
    """Return one row per server, as the template shows it; reads only, some queries each."""
    return [_row(server, at=at) for server in Server.objects.order_by("name")]


def _row(server: Server, *, at: datetime) -> dict[str, Any]:
    jobs = Job.objects.filter(account__server=server)
    theirs = {"account__server__id__exact": server.pk}
    return {
        "server": link(server),
        "works": server.check_note.startswith(servers.WORKS),
        "note": told(server),
        "tested": _ago(server.checked_at, at),
        "facts": [
            (_("Circuit"), _circuit(server)),
            (_("Accounts"), held(server)),
            (_("Jobs that need staff"), _jobs(jobs, Job.State.PARKED, theirs)),
            (_("Waiting jobs"), _jobs(jobs, Job.State.WAITING, theirs)),
            (_("Due since"), _due_since(jobs, at)),
            (_("Done in the last hour"), _done(jobs, at)),
            (_("Commands in the last day"), _commands(server, at)),
            (_("Last reading"), _last_reading(server, at)),
            (_("Last audit"), _last_audit(server, at)),
            (_("Drift"), _standing(server, theirs)),
            (_("Unknown accounts"), _strangers(server)),
        ],
    }


def _circuit(server: Server) -> str:
    circuit = Circuit.objects.filter(server=server).first()
    if circuit is None or circuit.state == Circuit.State.CLOSED:
        return str(Circuit.State.CLOSED.label)
    return f"{circuit.get_state_display()} · {reasons.told(circuit.reason)}"


def _jobs(jobs: Any, state: str, theirs: dict[str, int]) -> str:
    return counted(jobs.filter(state=state), state__exact=state, **theirs)


def _due_since(jobs: Any, at: datetime) -> str:
    due = jobs.filter(state=Job.State.WAITING, run_at__lte=at)
    return _ago(due.aggregate(oldest=Min("run_at"))["oldest"], at)


def _done(jobs: Any, at: datetime) -> str:
    return str(jobs.filter(state=Job.State.DONE, finished_at__gt=at - HOUR).count())


def _commands(server: Server, at: datetime) -> str:
    sent = Attempt.objects.filter(job__account__server=server, sent_at__gt=at - DAY)
    sums = sent.aggregate(
        all=Count("id"),
        clear=Count("id", filter=Q(outcome__in=CLEAR)),
        refused=Count("id", filter=Q(outcome=Attempt.Outcome.REFUSED)),
        unreached=Count("id", filter=Q(outcome=Attempt.Outcome.NOT_SENT)),
    )
    doubtful = sums["all"] - sums["clear"] - sums["refused"] - sums["unreached"]
    told = _(
        "%(all)s, of them done %(clear)s, refused %(refused)s, not sent %(unreached)s, "
        "without a clear answer %(doubtful)s"
    ) % {**sums, "doubtful": doubtful}
    # A number stays beside what it counts.
    return re.sub(r" (?=\d)", "\N{NO-BREAK SPACE}", told)


def _last_reading(server: Server, at: datetime) -> str:
    running = Account.objects.filter(server=server, readings__balance_minor__isnull=False)
    return _ago(running.aggregate(last=Max("readings__at"))["last"], at)


def _last_audit(server: Server, at: datetime) -> str:
    audit = server.audits.filter(account=None).first()
    return EMPTY if audit is None else link(audit, _ago(audit.started_at, at))


def _standing(server: Server, theirs: dict[str, int]) -> str:
    standing = Drift.objects.filter(account__server=server, state=Drift.State.OPEN)
    return counted(standing, state__exact="open", **theirs)


def _strangers(server: Server) -> str:
    unknown = UnknownAccount.objects.filter(server=server, gone_at=None, settled_by="")
    return counted(unknown, server__id__exact=server.pk)


def _ago(moment: datetime | None, at: datetime) -> str:
    if moment is None or moment > at:
        return EMPTY
    if at - moment < MINUTE:
        return _("just now")
    return _("%(time)s ago") % {"time": elapsed(moment, at)}
