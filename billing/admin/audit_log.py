"""The audit log: every step of every row's life, and what staff edited; each with who and when."""

from collections.abc import Iterable
from typing import Any

from django.apps import apps
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html, strip_tags
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from billing import mail_texts, opening, viewing
from billing.models import User
from packages import prices
from packages.desk import causes, downloads, filters, log_texts
from packages.desk.cells import EMPTY, TONES, badge
from packages.desk.pages import ByActor, ReadOnlyPage
from packages.desk.told import Told
from packages.states import StateChange, Stateful

# They have no states, and a history nevertheless.
OTHERS = (
    *("billing.Customer", "billing.Brand", "billing.MailText", "billing.User"),
    "packages.Package",
)
MODELS = {
    str(model._meta.model_name): model
    for model in apps.get_models()
    if issubclass(model, Stateful) or model._meta.label in OTHERS
}
PEOPLE = Q(actor__startswith="staff:"), Q(actor__startswith="user:")


# Steps of rows that have no states.
WORDS = {
    viewing.BEGUN: _("is viewed by staff"),
    viewing.ENDED: _("view ended"),
    opening.TESTED: _("gateway tested"),
    opening.SKIPPED: _("step of the opening skipped"),
    mail_texts.WRITTEN: _("text written"),
    mail_texts.STANDARD: _("standard text again"),
    prices.PRICED: _("price changed"),
    downloads.TAKEN: _("took a file"),
}


class Subject(admin.SimpleListFilter):
    """Steps of one kind of row."""

    title = _("kind")
    parameter_name = "subject"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, Any]]:
        named = ((name, capfirst(str(model._meta.verbose_name))) for name, model in MODELS.items())
        return sorted(named, key=lambda each: each[1])

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(subject=self.value()) if self.value() else queryset


class Who(admin.SimpleListFilter):
    """Steps by staff, by customers, or by the shop itself."""

    title = _("actor")
    parameter_name = "who"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, Any]]:
        return [("staff", _("staff")), ("user", _("customers")), ("system", _("the shop itself"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        staff, users = PEOPLE
        chosen = {"staff": staff, "user": users, "system": ~staff & ~users}
        which = chosen.get(str(self.value()))
        return queryset if which is None else queryset.filter(which)


@admin.register(StateChange)
class StateChangePage(ByActor, ReadOnlyPage):
    list_display = ("at", "row_link", "became", "by", "why")
    list_display_links = None
    list_filter = (Subject, Who, "at")
    search_fields = ("actor", "reason", "=subject_id")
    search_help_text = _("The e-mail address of whoever did it, why, or the row's number.")
    ordering = ("-id",)
    show_full_result_count = False
    of_entries = True
    readonly_fields = fields = ("at", "row_link", "became", "by", "why")
    _whys = Told(causes.told)

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """Return the page of the log; the names and causes that stand on it are read at once."""
        found = super().get_changelist_instance(request)
        self._whys = Told(causes.told, [row.reason for row in found.result_list])
        return found

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """A person is known by their address; the log has their number."""
        person = User.objects.filter(email__iexact=search_term.strip()).first()
        if person is None:
            return super().get_search_results(request, queryset, search_term)
        return queryset.filter(actor__regex=rf"\m(staff|user):{person.pk}\M"), False

    def heading(self, row: StateChange) -> str:
        """Name a step after the row that took it."""
        return strip_tags(self.row_link(row))

    @admin.display(description=_("of what"))
    def row_link(self, row: StateChange) -> str:
        model = MODELS.get(row.subject)
        name = capfirst(str(model._meta.verbose_name)) if model else row.subject
        try:
            address = reverse(
                f"admin:{model._meta.app_label}_{row.subject}_change" if model else "",
                args=[row.subject_id],
            )
        except NoReverseMatch:
            return f"{name} {row.subject_id}"
        return format_html('<a href="{}">{} {}</a>', address, name, row.subject_id)

    @admin.display(description=_("became"))
    def became(self, row: StateChange) -> str:
        model = MODELS.get(row.subject)
        words: dict[str, Any] = WORDS
        if model is not None and issubclass(model, Stateful):
            words = dict(model._meta.get_field("state").flatchoices)
        return badge(TONES.get(row.after, ""), words.get(row.after, row.after))

    @admin.display(description=_("by whom"))
    def by(self, row: StateChange) -> str:
        return super().by(row)

    @admin.display(description=_("reason"), ordering="reason")
    def why(self, row: StateChange) -> str:
        said: str = self._whys[row.reason]
        return said


class OfKind(admin.RelatedOnlyFieldListFilter):
    """What was done to one kind of row, by what its rows are called."""

    include_empty_choice = False

    def field_choices(self, field: Any, request: HttpRequest, model_admin: Any) -> Any:
        found = super().field_choices(field, request, model_admin)
        types = ContentType.objects.in_bulk([pk for pk, _name in found])
        models = ((pk, types[int(pk)].model_class()) for pk, _name in found)
        return [(pk, filters.called(model)) for pk, model in models if model]


@admin.register(LogEntry)
class LogEntryPage(ReadOnlyPage):
    """What staff did on the desk's pages: rows added and edited, and deeds."""

    list_display = ("action_time", "user", "kind", "edited", "said")
    list_display_links = None
    list_filter = (
        ("action_time", filters.titled(admin.DateFieldListFilter, _("when"))),
        ("action_flag", filters.titled(admin.ChoicesFieldListFilter, _("what was done"))),
        ("content_type", filters.titled(OfKind, _("kind"))),
    )
    search_fields = ("object_repr", "change_message", "user__email")
    list_select_related = ("user", "content_type")
    fields = readonly_fields = ("action_time", "user", "kind", "edited", "said")

    def heading(self, row: LogEntry) -> str:
        return f"{self.kind(row)} · {row.object_repr}"

    @admin.display(description=_("kind"), ordering="content_type")
    def kind(self, row: LogEntry) -> str:
        model = row.content_type.model_class() if row.content_type else None
        return capfirst(str(model._meta.verbose_name)) if model else EMPTY

    @admin.display(description=_("row"))
    def edited(self, row: LogEntry) -> str:
        address = row.get_admin_url()
        return (
            format_html('<a href="{}">{}</a>', address, row.object_repr)
            if address
            else (row.object_repr)
        )

    @admin.display(description=_("what was done"))
    def said(self, row: LogEntry) -> str:
        return log_texts.told(row)
