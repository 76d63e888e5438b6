"""Runs of the calendar: what ran, when, how many; and the deed that lets a stopped one go on."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.contrib import admin
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing import collections, days, runs
from billing.models import Run
from packages.desk import Impossible
from packages.desk.cells import EMPTY, amount_of, lines, moment, state
from packages.desk.deeds import Deed, ReasonForm, Text
from packages.desk.pages import ReadOnlyPage

NAMES = {
    "services": gettext_lazy("suspensions and ends"),
    "invoices": gettext_lazy("invoices"),
    "charges": gettext_lazy("automatic charges"),
    "cancelled": gettext_lazy("ended, cancelled"),
    "trial_ending": gettext_lazy("trials that end"),
    "reminder": gettext_lazy("reminders"),
    "overdue_first": gettext_lazy("first notices"),
    "overdue_second": gettext_lazy("second notices"),
    "suspended": gettext_lazy("suspensions"),
    "revocation_warning": gettext_lazy("warnings before the end"),
    "ended": gettext_lazy("ended, not paid"),
}


class Release(Deed):
    code = "release"
    label = gettext_lazy("Release this run…")
    guarded = True
    danger = True
    form = ReasonForm

    def offered(self, row: Run) -> bool:
        return row.state == Run.State.STOPPED and not Run.objects.filter(on__gt=row.on).exists()

    def effects(self, row: Run) -> Sequence[Text]:
        told = [_("Within minutes the run goes on and does what it had planned, no more.")]
        if row.planned.get(days.SERVICES):
            told.append(_("Services are suspended or ended; their customers get a mail."))
        if row.planned.get(collections.CHARGES):
            told.append(_("Saved payment methods are charged."))
        return told

    def facts(self, row: Run) -> Sequence[tuple[Text, Any]]:
        return [(_("Day"), date_format(row.on)), (_("Planned"), _counted(row.planned))]

    def carry_out(self, row: Run, given: dict[str, Any], *, at: datetime, actor: str) -> Text:
        try:
            runs.release(row, reason=given["reason"], at=at, actor=actor)
        except runs.NotStopped as error:
            raise Impossible(_("This run does not wait for staff any more.")) from error
        return _("The run goes on within minutes.")


@admin.register(Run)
class RunPage(ReadOnlyPage):
    deeds = (Release(),)
    by_kind = True
    spare = ("ended_at", "attempts")
    list_display = (
        "on",
        "status",
        "done_or_planned",
        "fault_count",
        "started_at",
        "ended_at",
        "attempts",
    )
    list_filter = ("state",)
    date_hierarchy = "on"
    readonly_fields = ("status", "done", "stopped_at", "went_wrong", "ended_at")
    fieldsets = (
        (None, {"fields": ("status", "on", "done", "stopped_at", "went_wrong")}),
        (
            gettext_lazy("When"),
            {"fields": (("started_at", "ended_at", "again_at", "attempts"),)},
        ),
    )

    @admin.display(description=gettext_lazy("state"), ordering="state")
    def status(self, row: Run) -> str:
        return state(row)

    @admin.display(description=gettext_lazy("what was done"))
    def done(self, row: Run) -> str:
        return _counted(row.counts)

    @admin.display(description=gettext_lazy("what was done"))
    def done_or_planned(self, row: Run) -> str:
        """Say in the list of a stopped run what it was stopped before."""
        if row.state == Run.State.STOPPED and not row.counts:
            return lines([_("nothing; more was planned than usual:"), _counted(row.planned)])
        return _counted(row.counts)

    @admin.display(description=gettext_lazy("planned, not done"))
    def stopped_at(self, row: Run) -> str:
        return _counted(row.planned)

    @admin.display(description=gettext_lazy("finished"), ordering="finished_at")
    def ended_at(self, row: Run) -> str:
        """Return when it was done; one that was stopped is not."""
        return EMPTY if row.state == Run.State.STOPPED else moment(row.finished_at)

    @admin.display(description=gettext_lazy("faults"))
    def fault_count(self, row: Run) -> str:
        return str(len(row.faults)) if row.faults else EMPTY

    @admin.display(description=gettext_lazy("what went wrong"))
    def went_wrong(self, row: Run) -> str:
        return lines([f"{each['item']}: {each['error']}" for each in row.faults])


def _counted(counts: dict[str, int]) -> str:
    return lines([_named(kind, count) for kind, count in counts.items() if count])


def _named(kind: str, count: int) -> str:
    name, _space, currency = kind.partition(" ")
    if name == collections.SUM:
        return _("charged: %(amount)s") % {"amount": amount_of(count, currency)}
    return f"{NAMES.get(kind, kind)}:\u00a0{count}"
