"""Accounts at the diallers: what they should be, whether they run, and what staff may ask for."""

import uuid
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from packages import clock
from packages.desk import Impossible, filters
from packages.desk.cells import amount_of, badge, counted, lines, link, state
from packages.desk.deeds import Deed, DeedForm, Text
from packages.desk.pages import ReadOnlyPage
from provisioning import jobs
from provisioning.admin.audits import Compare
from provisioning.admin.instructions import limits
from provisioning.dialler.base import Limits
from provisioning.models import Account, Drift, Job

State = Account.State
DELETE_AFTER = timedelta(days=30)


class CauseForm(DeedForm):
    """Carries the cause made when the page was opened: pressing twice asks for one job."""

    cause = forms.RegexField(r"^staff-[0-9a-f-]{36}$", widget=forms.HiddenInput)


class DeletionForm(CauseForm):
    delete_on = forms.DateField(
        label=gettext_lazy("Delete for good on"),
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        help_text=gettext_lazy("Until that day the deletion can be called off at its job."),
    )

    def clean_delete_on(self) -> date:
        day: date = self.cleaned_data["delete_on"]
        if day < timezone.localtime(clock.now()).date():
            raise forms.ValidationError(_("Choose today or a later day."))
        return day


class AccountDeed(Deed):
    form = CauseForm
    states: tuple[str, ...] = (State.LIVE, State.SUSPENDED)
    kind: Job.Kind

    def offered(self, row: Account) -> bool:
        unfinished = row.jobs.filter(kind=self.kind, state__in=Job.UNFINISHED)
        return row.state in self.states and not unfinished.exists()

    def initial(self, row: Account) -> dict[str, Any]:
        return {"cause": f"staff-{uuid.uuid4()}"}

    def facts(self, row: Account) -> Sequence[tuple[Text, Any]]:
        return [
            (_("Account"), f"{row.username} · {row.server.name}"),
            (_("Customer"), row.person.get("company") or row.person.get("name", "")),
            (_("State"), row.get_state_display()),
        ]

    def carry_out(self, row: Account, given: dict[str, Any], *, at: datetime, actor: str) -> Text:
        with transaction.atomic():
            held = Account.objects.select_for_update().get(pk=row.pk)
            if held.state not in self.states:
                raise Impossible(_("The account's state has changed. Look at it again."))
            self.ask(held, given, at=at, actor=actor)
        return _("The job is in the list; a worker does it now.")

    def ask(self, row: Account, given: dict[str, Any], *, at: datetime, actor: str) -> None:
        raise NotImplementedError


class Suspend(AccountDeed):
    code, label, danger = "suspend", gettext_lazy("Suspend"), True
    states = (State.LIVE,)
    kind = Job.Kind.SUSPEND

    def effects(self, row: Account) -> Sequence[Text]:
        return [
            _("The account can neither sign in nor send; running campaigns stop."),
            _("Balance and data stay. The subscription and its invoices do not change."),
        ]

    def ask(self, row: Account, given: dict[str, Any], *, at: datetime, actor: str) -> None:
        jobs.suspend(row, cause=given["cause"], at=at, actor=actor)


class SuspendAtOnce(Suspend):
    code, label = "suspend_at_once", gettext_lazy("Suspend at once")

    def effects(self, row: Account) -> Sequence[Text]:
        first = _("It comes before all that the account waits for, also before what is parked.")
        return [first, *super().effects(row)]

    def ask(self, row: Account, given: dict[str, Any], *, at: datetime, actor: str) -> None:
        jobs.suspend(row, cause=given["cause"], at=at, actor=actor, at_once=True)


class Unsuspend(AccountDeed):
    code, label = "unsuspend", gettext_lazy("Unsuspend")
    states = (State.SUSPENDED,)
    kind = Job.Kind.UNSUSPEND

    def effects(self, row: Account) -> Sequence[Text]:
        return [_("The account runs again, even if the subscription is not paid for.")]

    def ask(self, row: Account, given: dict[str, Any], *, at: datetime, actor: str) -> None:
        jobs.unsuspend(row, cause=given["cause"], at=at, actor=actor)


class ResetLimits(AccountDeed):
    code, label = "limits", gettext_lazy("Set the limits again")
    kind = Job.Kind.SET_LIMITS

    def effects(self, row: Account) -> Sequence[Text]:
        return [
            _("The dialler gets the limits below once more; changes made there are lost."),
            _("Balance and data stay."),
        ]

    def facts(self, row: Account) -> Sequence[tuple[Text, Any]]:
        return [*super().facts(row), *limits(row.limits)]

    def ask(self, row: Account, given: dict[str, Any], *, at: datetime, actor: str) -> None:
        target = Limits.from_json(row.limits)
        jobs.set_limits(row, target, cause=given["cause"], at=at, actor=actor)


class ReadBalance(AccountDeed):
    code, label = "balance", gettext_lazy("Read the balance")
    kind = Job.Kind.READ_BALANCE

    def effects(self, row: Account) -> Sequence[Text]:
        return [_("The balance is read from the dialler. Nothing is changed there.")]

    def ask(self, row: Account, given: dict[str, Any], *, at: datetime, actor: str) -> None:
        jobs.read_balances([row], at=at, actor=actor)


class Terminate(AccountDeed):
    code, label, danger = "terminate", gettext_lazy("Terminate"), True
    guarded = True
    form = DeletionForm
    kind = Job.Kind.TERMINATE

    def initial(self, row: Account) -> dict[str, Any]:
        return {
            **super().initial(row),
            "delete_on": timezone.localtime(clock.now()).date() + DELETE_AFTER,
        }

    def effects(self, row: Account) -> Sequence[Text]:
        return [
            _("The account is suspended at once."),
            _("On the chosen day the dialler deletes it for good, with its balance and data."),
            _("The subscription does not end by this, and nothing is paid back."),
        ]

    def facts(self, row: Account) -> Sequence[tuple[Text, Any]]:
        balance = amount_of(row.balance_minor, row.server.currency)
        return [*super().facts(row), (_("Balance"), balance)]

    def ask(self, row: Account, given: dict[str, Any], *, at: datetime, actor: str) -> None:
        midnight = timezone.make_aware(datetime.combine(given["delete_on"], time()))
        jobs.terminate(row, cause=given["cause"], delete_at=max(midnight, at), at=at, actor=actor)


class AccountPage(ReadOnlyPage):
    """Registered by billing, which knows whose account it is."""

    deeds = (
        *(Compare(), ReadBalance(), ResetLimits(), Unsuspend()),
        *(Suspend(), SuspendAtOnce(), Terminate()),
    )
    list_display = ("username", "status", "server_link", "who", "balance", "balance_at", "jobs")
    spare = ("balance_at",)
    list_filter = (
        *("state", "server"),
        (
            "placed",
            filters.titled(admin.BooleanFieldListFilter, gettext_lazy("has room on a server")),
        ),
    )
    search_fields = ("username", "remote_id", "person__name", "person__company", "person__email")
    list_select_related: ClassVar[tuple[str, ...]] = ("server",)
    readonly_fields: ClassVar[tuple[str, ...]] = (
        *("status", "server_link", "who", "balance", "should_be", "drift", "jobs", "open_jobs"),
    )
    fieldsets = (
        (None, {"fields": ("status", "username", "remote_id", "server_link", "who")}),
        (gettext_lazy("What it should be"), {"fields": ("should_be",)}),
        (
            gettext_lazy("At the dialler"),
            {"fields": ("drift", "balance", "balance_at", "created_at", "open_jobs", "jobs")},
        ),
    )

    @admin.display(description=gettext_lazy("state"), ordering="state")
    def status(self, row: Account) -> str:
        return state(row)

    @admin.display(description=gettext_lazy("server"), ordering="server")
    def server_link(self, row: Account) -> str:
        return link(row.server) if row.placed else badge("bad", _("waits for room"))

    @admin.display(description=gettext_lazy("for"))
    def who(self, row: Account) -> str:
        person: dict[str, str] = row.person
        return person.get("company") or person.get("name") or person.get("email", "")

    @admin.display(description=gettext_lazy("balance"), ordering="balance_minor")
    def balance(self, row: Account) -> str:
        return amount_of(row.balance_minor, row.server.currency)

    @admin.display(description=gettext_lazy("limits"))
    def should_be(self, row: Account) -> str:
        return lines([f"{label}: {value}" for label, value in limits(row.limits)])

    @admin.display(description=gettext_lazy("drift"))
    def drift(self, row: Account) -> str:
        """A closed account differs as well when the dialler still has it."""
        standing = row.drifts.filter(state__in=Drift.STANDING)
        told = [link(each, f"{each.get_state_display()}: {each.named}") for each in standing]
        return lines(told)

    @admin.display(description=gettext_lazy("jobs"))
    def jobs(self, row: Account) -> str:
        return counted(row.jobs.all(), account__id__exact=row.pk)

    @admin.display(description=gettext_lazy("unfinished jobs"))
    def open_jobs(self, row: Account) -> str:
        unfinished = row.jobs.filter(state__in=Job.UNFINISHED).order_by("seq")
        return lines([link(job, job.get_kind_display()) for job in unfinished])
