"""Jobs and their attempts: what was asked of the dialler, what came back, and who decides."""

from datetime import timedelta
from typing import Any, ClassVar

from django.contrib import admin
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from packages import clock
from packages.desk import causes, reasons
from packages.desk.cells import EMPTY, TONES, amount_of, badge, lines, link, moment, state
from packages.desk.deeds import Deed
from packages.desk.pages import ReadOnlyInline, ReadOnlyPage
from provisioning import desk
from provisioning.admin import seen
from provisioning.admin.instructions import details, instruction
from provisioning.admin.job_deeds import DEEDS
from provisioning.models import Attempt, Job


class Attempts(ReadOnlyInline):
    model = Attempt
    fields = ("number", "sent_at", "result", "said", "read_before", "seen_after")
    readonly_fields = fields
    show_change_link = False

    @admin.display(description=_("outcome"))
    def result(self, row: Attempt) -> str:
        return badge(TONES.get(row.outcome, ""), row.get_outcome_display())

    @admin.display(description=_("answer"))
    def said(self, row: Attempt) -> str:
        return reasons.told(row.answer) or EMPTY

    @admin.display(description=_("balance before"))
    def read_before(self, row: Attempt) -> str:
        return amount_of(row.before.get("balance_minor"), row.job.account.server.currency)

    @admin.display(description=_("readings"))
    def seen_after(self, row: Attempt) -> str:
        return seen.told(row.readings)


class AgeFilter(admin.SimpleListFilter):
    """Jobs that were asked for so long ago and have not ended."""

    title = _("unfinished for")
    parameter_name = "unfinished"
    AGES = {"15m": timedelta(minutes=15), "1h": timedelta(hours=1), "1d": timedelta(days=1)}

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        names = (_("more than 15 minutes"), _("more than an hour"), _("more than a day"))
        return list(zip(self.AGES, names, strict=True))

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        age = self.AGES.get(self.value() or "")
        if age is None:
            return queryset
        return queryset.filter(state__in=Job.UNFINISHED, created_at__lte=clock.now() - age)


class ByHandFilter(admin.SimpleListFilter):
    """What a person has to do, because a server's API cannot."""

    title = _("by hand")
    parameter_name = "by_hand"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("open", _("to be done")), ("overdue", _("overdue"))]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        tasks = queryset.filter(state=Job.State.PARKED, due_at__isnull=False)
        chosen = {"open": tasks, "overdue": tasks.filter(due_at__lte=clock.now())}
        return chosen.get(self.value() or "", queryset)


class JobPage(ReadOnlyPage):
    """Registered by billing, which adds the deed that gives money back."""

    deeds: ClassVar[tuple[Deed, ...]] = DEEDS
    list_display = ("what", "status", "account_link", "server", "amount", "created_at", "why")
    spare = ("server",)
    list_filter = ("state", "kind", "account__server", AgeFilter, ByHandFilter)
    search_fields = ("cause", "account__username", "reason")
    list_select_related: ClassVar[tuple[str, ...]] = ("account__server",)
    inlines = (Attempts,)
    fieldsets = (
        (None, {"fields": ("status", "whole_reason", "to_do", "account_link", "server")}),
        (
            _("What is asked"),
            {"fields": ("kind", "amount", "target", "caused", "asked_together", "behind")},
        ),
        (
            _("When"),
            {"fields": ("created_at", "run_at", "tries", "claimed_until", "due_at", "finished_at")},
        ),
    )

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return ("status", "to_do", "account_link", "server", "amount", "target", "behind") + (
            "caused",
            "asked_together",
            "whole_reason",
        )

    @admin.display(description=_("job"), ordering="kind")
    def what(self, row: Job) -> str:
        return capfirst(row.get_kind_display())

    @admin.display(description=_("state"), ordering="state")
    def status(self, row: Job) -> str:
        return state(row)

    @admin.display(description=_("account"), ordering="account__username")
    def account_link(self, row: Job) -> str:
        return link(row.account)

    @admin.display(description=_("server"), ordering="account__server")
    def server(self, row: Job) -> str:
        return link(row.account.server)

    @admin.display(description=_("amount"), ordering="amount_minor")
    def amount(self, row: Job) -> str:
        return amount_of(row.amount_minor, row.currency)

    @admin.display(description=_("reason"))
    def why(self, row: Job) -> str:
        """Why it stands where it stands, by when a person has to do it, or for when it waits."""
        said = [reasons.told(row.reason)[:80]] if row.reason else []
        if row.due_at and row.state == Job.State.PARKED:
            said.append(_("by hand until %(when)s") % {"when": moment(row.due_at)})
        if row.state == Job.State.WAITING and row.run_at > clock.now():
            said.append(_("from %(when)s") % {"when": moment(row.run_at)})
        return lines(said)

    @admin.display(description=_("reason"))
    def whole_reason(self, row: Job) -> str:
        return reasons.told(row.reason) or EMPTY

    @admin.display(description=_("to do"))
    def to_do(self, row: Job) -> str:
        return instruction(row) if desk.by_hand(row) else EMPTY

    @admin.display(description=_("target"))
    def target(self, row: Job) -> str:
        return lines([format_html("{}: {}", label, value) for label, value in details(row)])

    @admin.display(description=_("cause"))
    def caused(self, row: Job) -> str:
        return causes.told([row.cause])[row.cause]

    @admin.display(description=_("asked for together"))
    def asked_together(self, row: Job) -> str:
        others = Job.objects.filter(account_id=row.account_id, bundle=row.bundle).exclude(pk=row.pk)
        named = [link(each, self.what(each)) for each in others.order_by("seq") if row.bundle]
        return lines(named)

    @admin.display(description=_("waiting behind it"))
    def behind(self, row: Job) -> str:
        if row.state not in Job.UNFINISHED:
            return EMPTY
        later = Job.objects.filter(account_id=row.account_id, seq__gt=row.seq)
        waiting = later.filter(state__in=Job.UNFINISHED).order_by("seq")
        return lines([job.get_kind_display() for job in waiting])
