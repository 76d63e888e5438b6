"""How the ways out of the shop do: each dialler and each gateway, from rows alone. Asks nobody."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Max, Q
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from billing import gateways
from billing.models import GatewayEvent, Payment
from packages.desk.cells import list_url, row_url
from provisioning import servers
from provisioning.models import Account, Circuit, Job, Server

LATELY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Dialler:
    """A server: whether it answers, the accounts that run there, and the jobs that wait for it."""

    name: str
    url: str
    tone: str
    word: str | Promise
    tested_at: datetime | None
    accounts: int
    accounts_url: str
    jobs: int
    jobs_url: str


@dataclass(frozen=True, slots=True)
class Gateway:
    """A gateway: when it last sent us an event, and its payments of the last day."""

    name: str | Promise
    heard_at: datetime | None
    succeeded: int
    failed: int
    open: int
    urls: dict[str, str]
    tone: str


def diallers() -> list[Dialler]:
    """Return the servers that are used; two queries, however many there are."""
    unfinished = Count("accounts__jobs", filter=Q(accounts__jobs__state__in=Job.UNFINISHED))
    jobs = dict(Server.objects.annotate(waiting=unfinished).values_list("pk", "waiting"))
    running = Count("accounts", filter=Q(accounts__state=Account.State.LIVE))
    rows = Server.objects.select_related("circuit").annotate(running=running)
    return [_dialler(row, row.running, jobs[row.pk]) for row in rows if row.active or row.running]


def takers(*, at: datetime) -> Sequence[Gateway]:
    """Return the configured gateways; two queries."""
    last = GatewayEvent.objects.order_by().values("gateway").annotate(last=Max("received_at"))
    heard = dict(last.values_list("gateway", "last"))
    since, state = at - LATELY, Payment.State
    ended = Q(state=state.SUCCEEDED, succeeded_at__gte=since)
    failed = Q(state=state.FAILED, created_at__gte=since)
    unclear = Q(state=state.PROCESSING)
    rows = Payment.objects.filter(ended | failed | unclear).order_by().values("gateway")
    sums = rows.annotate(
        ended=Count("id", filter=ended),
        failed=Count("id", filter=failed),
        unclear=Count("id", filter=unclear),
    )
    counts = {row["gateway"]: (row["ended"], row["failed"], row["unclear"]) for row in sums}
    return [
        _taker(each, heard.get(each.code), counts.get(each.code, (0, 0, 0)), since)
        for each in gateways.configured()
    ]


def _dialler(server: Server, running: int, jobs: int) -> Dialler:
    circuit: Circuit | None = getattr(server, "circuit", None)
    tone, word = "ok", _("answers")
    if circuit is not None and circuit.state != Circuit.State.CLOSED:
        tone, word = "bad", circuit.get_state_display()
    elif server.checked_at is None:
        tone, word = "wait", _("not tested yet")
    elif not server.check_note.startswith(servers.WORKS):
        tone, word = "bad", _("does not answer: %(note)s") % {"note": server.check_note}
    of_it = {"server__id__exact": server.pk}
    return Dialler(
        server.name,
        row_url(server),
        tone,
        word,
        server.checked_at,
        running,
        list_url(Account, state__exact="live", **of_it),
        jobs,
        list_url(Job, state__in=",".join(Job.UNFINISHED), account__server__id__exact=server.pk),
    )


def _taker(
    taker: gateways.base.Gateway,
    heard_at: datetime | None,
    counts: tuple[int, int, int],
    since: datetime,
) -> Gateway:
    succeeded, failed, unclear = counts
    of_it = {"gateway__exact": taker.code}
    urls = {
        "events": list_url(GatewayEvent, **of_it),
        "succeeded": list_url(
            Payment, **of_it, state__exact="succeeded", succeeded_at__gte=since.isoformat()
        ),
        "failed": list_url(
            Payment, **of_it, state__exact="failed", created_at__gte=since.isoformat()
        ),
        "open": list_url(Payment, **of_it, state__exact="processing"),
    }
    tone = "warn" if failed > succeeded else "ok"
    return Gateway(taker.name, heard_at, succeeded, failed, unclear, urls, tone)
