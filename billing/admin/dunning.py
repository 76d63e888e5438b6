"""The dunning timetables, what was done by them, and the pauses staff decide on."""

from collections.abc import Callable, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin
from django.db.models import Q
from django.http import HttpRequest
from django.utils.formats import date_format
from django.utils.html import format_html_join
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from billing import explanations, pauses
from billing.models import (
    Customer,
    Invoice,
    Notice,
    PackageTimetable,
    Pause,
    Subscription,
    Timetable,
    current_brand,
)
from billing.models.timetable import AFTER_DUE
from packages import clock
from packages.desk import Impossible
from packages.desk.cells import EMPTY, amount, day, lines, link, state
from packages.desk.deeds import Deed, ReasonForm, Text
from packages.desk.pages import ByActor, Page, ReadOnlyPage, TabularInline
from packages.money import total
from packages.periods import business_day

if TYPE_CHECKING:
    ModelForm = forms.ModelForm[Timetable]
else:
    ModelForm = forms.ModelForm


def today() -> date:
    return business_day(clock.now(), current_brand().zone)


class PauseForm(ReasonForm):
    """Until when dunning rests, and why."""

    until_on = forms.DateField(
        label=gettext_lazy("Dunning goes on from"),
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )
    field_order = ("until_on", "reason")


class PauseDunning(Deed):
    """Offered on an invoice, a service and a customer; `running` says whether there is a point."""

    code = "pause"
    label = gettext_lazy("Give more time…")
    form = PauseForm
    many = True

    def offered(self, row: Invoice | Subscription | Customer) -> bool:
        if isinstance(row, Invoice):
            return row.state == Invoice.State.OPEN and row.order_id is None
        return not isinstance(row, Subscription) or row.state != Subscription.State.ENDED

    def effects(self, row: Any) -> Sequence[Text]:
        return [
            _("Until that day nobody is reminded, suspended or ended for want of payment."),
            _("Afterwards it goes on where it stood; the days of the pause do not count."),
            _("What is suspended stays suspended until it is paid."),
        ]

    def facts(self, row: Invoice | Subscription | Customer) -> Sequence[tuple[Text, Any]]:
        customer = row if isinstance(row, Customer) else row.customer
        facts: list[tuple[Text, Any]] = [(_("Customer"), link(customer))]
        if isinstance(row, Subscription):
            facts.append((_("Service"), link(row, row.package)))
            facts.append((_("Paid until"), day(row.paid_until)))
        due = _open_invoices(row)
        codes = sorted({each.currency for each in due})
        owed = [total((one.due for one in due if one.currency == code), code) for code in codes]
        first = min((each.due_on for each in due if each.due_on), default=None)
        return [
            *facts,
            (_("Still to be paid"), lines([amount(each) for each in owed])),
            (_("Due on"), day(first)),
        ]

    def carry_out(self, row: Any, given: dict[str, Any], *, at: datetime, actor: str) -> Text:
        on = business_day(at, current_brand().zone)
        until_on = given["until_on"]
        if until_on <= on:
            raise Impossible(_("Choose a day after today."))
        pauses.begin(row, until_on=until_on, reason=given["reason"], on=on, at=at, actor=actor)
        return _("Dunning rests until %(day)s.") % {"day": date_format(until_on)}


def _open_invoices(row: Invoice | Subscription | Customer) -> Sequence[Invoice]:
    """Return what is due and is dunned."""
    if isinstance(row, Invoice):
        return [row]
    due = Invoice.objects.filter(state=Invoice.State.OPEN, kind=Invoice.Kind.INVOICE)
    theirs = Q(customer=row) if isinstance(row, Customer) else Q(lines__subscription=row)
    return list(due.filter(theirs).distinct())


class LiftPause(Deed):
    code = "lift"
    label = gettext_lazy("End this pause…")

    def offered(self, row: Pause) -> bool:
        return row.until_on > today()

    def effects(self, row: Pause) -> Sequence[Text]:
        return [_("Dunning goes on today where it stood; the days of the pause do not count.")]

    def facts(self, row: Pause) -> Sequence[tuple[Text, Any]]:
        paused = row.invoice or row.subscription or row.customer
        assert paused is not None, "A pause is of one thing."
        customer = paused if isinstance(paused, Customer) else paused.customer
        return [
            (_("Customer"), link(customer)),
            (_("Concerns"), link(paused)),
            (_("From"), date_format(row.from_on)),
            (_("Until"), date_format(row.until_on)),
            (_("Reason"), row.reason),
        ]

    def carry_out(self, row: Pause, given: dict[str, Any], *, at: datetime, actor: str) -> Text:
        pauses.lift(row, on=business_day(at, current_brand().zone))
        return _("The pause is over.")


class Packages(TabularInline):
    model = PackageTimetable
    extra = 0


def _before(days: int) -> str:
    return ngettext("%(days)s day before", "%(days)s days before", days) % {"days": days}


def _after(days: int) -> str:
    if not days:
        return _("on the due date")
    return ngettext("%(days)s day after", "%(days)s days after", days) % {"days": days}


def _from_due_date(days: int) -> str:
    if not days:
        return _after(days)
    words = (
        ngettext("%(days)s day after the due date", "%(days)s days after the due date", days)
        if days > 0
        else ngettext(
            "%(days)s day before the due date", "%(days)s days before the due date", -days
        )
    )
    return words % {"days": abs(days)}


def _step(name: str, told: Callable[[int], str]) -> Callable[[Timetable], str]:
    """Return the column of a step: how many days before or after the due date it is taken."""

    field: Any = Timetable._meta.get_field(name)

    @admin.display(description=field.verbose_name, ordering=name)
    def column(row: Timetable) -> str:
        days = getattr(row, name)
        return _("never") if days is None else told(days)

    column.__name__ = name
    return column


class TimetableForm(ModelForm):
    """The days as staff enter them; the model says in words what does not fit together."""

    class Meta:
        model = Timetable
        fields = "__all__"


@admin.register(Timetable)
class TimetablePage(Page):
    form = TimetableForm
    inlines = (Packages,)
    list_display: Any = (
        "name",
        "is_default",
        _step("reminder", _before),
        *(_step(name, _after) for name in AFTER_DUE),
    )
    fieldsets = (
        (None, {"fields": ("name", "is_default", "notice_days")}),
        (gettext_lazy("Before the due date"), {"fields": ("reminder",)}),
        (
            gettext_lazy("After the due date"),
            {
                "fields": (
                    "charge_retries",
                    ("overdue_first", "overdue_second", "suspended"),
                    ("revocation_warning", "ended"),
                )
            },
        ),
    )

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """What is open follows the new days from the next run on."""
        super().save_related(request, form, formsets, change)
        pauses.look_again(Invoice.objects.all(), on=today())

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        used = obj is not None and (
            obj.is_default
            or obj.customers.exists()
            or Notice.objects.filter(timetable=obj).exists()
        )
        return not used and super().has_delete_permission(request, obj)


class TimetableFilter(admin.RelatedFieldListFilter):
    include_empty_choice = False


@admin.register(Notice)
class NoticePage(ReadOnlyPage):
    list_display = ("invoice", "step", "on", "owed", "mail_state", "customer_link")
    list_filter = ("step", "on", ("timetable", TimetableFilter))
    date_hierarchy = "on"
    search_fields = ("invoice__number", "invoice__customer__name", "invoice__customer__company")
    list_select_related = ("invoice__customer", "mail", "timetable")
    readonly_fields = ("invoice_link", "owed", "rule", "mail_link", "mail_state", "job_links")
    fieldsets = (
        (None, {"fields": ("invoice_link", "step", "on", "at", "owed", "rule")}),
        (gettext_lazy("Evidence"), {"fields": ("mail_link", "mail_state", "job_links")}),
    )

    @admin.display(description=gettext_lazy("customer"))
    def customer_link(self, row: Notice) -> str:
        return link(row.invoice.customer)

    @admin.display(description=gettext_lazy("invoice"))
    def invoice_link(self, row: Notice) -> str:
        return link(row.invoice)

    @admin.display(description=gettext_lazy("owed"))
    def owed(self, row: Notice) -> str:
        return amount(row.due)

    @admin.display(description=gettext_lazy("rule"))
    def rule(self, row: Notice) -> str:
        return " · ".join(filter(None, (str(row.timetable or ""), _from_due_date(row.days))))

    @admin.display(description=gettext_lazy("mail"))
    def mail_link(self, row: Notice) -> str:
        return link(row.mail)

    @admin.display(description=gettext_lazy("state of the mail"))
    def mail_state(self, row: Notice) -> str:
        return state(row.mail)

    @admin.display(description=gettext_lazy("at the dialler"))
    def job_links(self, row: Notice) -> str:
        shown = [(link(job), state(job)) for job in row.jobs]
        return format_html_join("", "<div>{} {}</div>", shown) or EMPTY


@admin.register(Pause)
class PausePage(ByActor, ReadOnlyPage):
    by_kind = True
    deeds = (LiftPause(),)
    list_display = ("of", "from_on", "until_on", "reason", "by")
    list_filter = ("until_on",)
    readonly_fields = ("of", "by")
    fieldsets = ((None, {"fields": ("of", "from_on", "until_on", "reason", "by", "at")}),)

    @admin.display(description=gettext_lazy("concerns"))
    def of(self, row: Pause) -> str:
        return link(row.invoice or row.subscription or row.customer)


def panel(invoices: Sequence[Invoice]) -> str:
    """Return why these invoices' services are suspended or not yet, and what was done so far."""
    at = clock.now()
    on = business_day(at, current_brand().zone)
    told = explanations.of(invoices, on=on, at=at)
    taken = Notice.objects.filter(invoice__in=invoices).order_by("on").select_related("invoice")
    done = [link(each, _told(each)) for each in taken]
    return lines([*done, *(text for some in told.values() for text in some)])


def _told(notice: Notice) -> str:
    return f"{date_format(notice.on)}: {notice.get_step_display()}, {amount(notice.due)}"
