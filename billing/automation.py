"""What the shop did by itself: day by day, how many of each kind, and what failed. Reads only."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.db import connection
from django.db.models import Count
from django.db.models.functions import TruncDate
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from billing.models import Alert, GatewayEvent, Run
from billing.processes import named
from packages.desk.cells import EMPTY, list_url, row_url, state
from packages.desk.tables import Cell, Table
from packages.periods import start_of_day
from packages.states import StateChange
from provisioning.models import Heartbeat

# Whoever acted: nobody in person.
PEOPLE = "^(staff|user):"
STEPS = f"""
SELECT (at AT TIME ZONE %s)::date, subject, after, count(*) FROM packages_statechange
WHERE at >= %s AND at < %s AND actor !~ '{PEOPLE}' GROUP BY 1, 2, 3
"""
# Of what, into which state, and the column's name.
KINDS: Sequence[tuple[str, str, str | Promise]] = (
    ("invoice", "open", _("invoices issued")),
    ("payment", "succeeded", _("payments")),
    ("payment", "failed", _("payments failed")),
    ("subscription", "suspended", _("suspended")),
    ("subscription", "ended", _("ended")),
    ("job", "done", _("jobs done")),
    ("job", "parked", _("jobs parked")),
    ("mail", "sent", _("mails sent")),
    ("mail", "failed", _("mails failed")),
)


@dataclass(frozen=True, slots=True)
class Process:
    """One of our processes or sweeps, and when it last showed that it lives."""

    code: str
    at: datetime
    missing: bool
    is_fresh: bool

    @property
    def name(self) -> str:
        return named(self.code)


def days(on: date, count: int, *, zone: str) -> Table:
    """Return the last days, the latest first; three queries."""
    first_on = on - timedelta(days=count - 1)
    steps, events, runs = _steps(first_on, on, zone), _events(first_on, zone), _runs(first_on)
    rows = [
        [
            Cell(date_format(day, "DATE_FORMAT")),
            *_run(runs.get(day)),
            *(_step(steps, day, subject, after, zone) for subject, after, _name in KINDS),
            *(_event(events, day, name, zone) for name in ("processed", "parked")),
        ]
        for day in (on - timedelta(days=back) for back in range(count))
    ]
    names = [name for _subject, _after, name in KINDS]
    head = (_("day"), _("calendar"), _("faults"), *names, _("events"), _("events parked"))
    return Table("days", _("Day by day"), head, rows)


def processes(*, now: datetime) -> list[Process]:
    """Return who showed a sign of life; the alert says whose is missing. Two queries.

    `now` is the machine's time, which signs of life are written in.
    """
    alerts = Alert.objects.filter(kind=Alert.Kind.HEARTBEAT, resolved_at=None)
    missing = set(alerts.values_list("cause", flat=True))
    return [
        Process(
            each.process,
            each.at,
            missing=f"heartbeat-{each.process}" in missing,
            is_fresh=now - each.at < timedelta(minutes=1),
        )
        for each in Heartbeat.objects.order_by("process")
    ]


def faults(on: date, count: int) -> list[tuple[Run, list[dict[str, str]]]]:
    """Return what went wrong in the calendar's runs of the last days."""
    recent = Run.objects.filter(on__gt=on - timedelta(days=count))
    return [(run, run.faults) for run in recent if run.faults]


def _steps(first_on: date, on: date, zone: str) -> dict[tuple[date, str, str], int]:
    until = start_of_day(on + timedelta(days=1), zone)
    with connection.cursor() as cursor:
        cursor.execute(STEPS, [zone, start_of_day(first_on, zone), until])
        return {(day, what, after): count for day, what, after, count in cursor.fetchall()}


def _events(first_on: date, zone: str) -> dict[tuple[date, str], int]:
    found = GatewayEvent.objects.filter(received_at__gte=start_of_day(first_on, zone)).order_by()
    day = TruncDate("received_at", tzinfo=ZoneInfo(zone))
    sums = found.annotate(day=day).values("day", "state").annotate(count=Count("id"))
    return {(row["day"], row["state"]): row["count"] for row in sums}


def _runs(first_on: date) -> dict[date, Run]:
    return {run.on: run for run in Run.objects.filter(on__gte=first_on)}


def _run(run: Run | None) -> tuple[Cell, Cell]:
    if run is None:
        return Cell(EMPTY), Cell(0)
    return Cell(state(run), row_url(run)), Cell(len(run.faults), row_url(run))


def _step(
    steps: Mapping[tuple[date, str, str], int], day: date, subject: str, after: str, zone: str
) -> Cell:
    url = list_url(
        StateChange, subject=subject, after=after, who="system", **_span("at", day, zone)
    )
    return Cell(steps.get((day, subject, after), 0), url)


def _event(events: Mapping[tuple[date, str], int], day: date, name: str, zone: str) -> Cell:
    url = list_url(GatewayEvent, state__exact=name, **_span("received_at", day, zone))
    return Cell(events.get((day, name), 0), url)


def _span(field: str, day: date, zone: str) -> dict[str, str]:
    since, until = start_of_day(day, zone), start_of_day(day + timedelta(days=1), zone)
    return {f"{field}__gte": since.isoformat(), f"{field}__lt": until.isoformat()}
