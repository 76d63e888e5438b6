"""Pages of the staff's desk: stock admin pages with deeds, history, and money nobody can edit."""

import re
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import models
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import strip_tags
from django.utils.text import capfirst
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from packages import clock, countries
from packages.desk import Impossible, actors, bulk, causes, exports, log_texts, looking, proposals
from packages.desk.cells import amount
from packages.desk.deeds import Deed, DeedForm, Text
from packages.desk.door import demand_fresh_proof
from packages.desk.told import Told
from packages.money import Money
from packages.states import StateChange

if TYPE_CHECKING:
    ModelAdmin = admin.ModelAdmin[Any]
    TabularInline = admin.TabularInline[Any, Any]
else:
    ModelAdmin = admin.ModelAdmin
    TabularInline = admin.TabularInline

CODES: dict[str, Callable[[], list[tuple[str, Any]]]] = {
    "country": countries.named,
    "language": lambda: list(settings.LANGUAGES),
}
UNCHOSEN = [("", "---------")]
CSRF = "csrfmiddlewaretoken"
# A day is chosen as the reader's browser lets people choose days, here and on the pages of deeds.
DAY = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
NOT_NOW = _("This is not possible now; nothing was changed. What is possible is shown here.")


class Page(ModelAdmin):
    """A model's pages: `deeds` become buttons, and the states it went through are shown below."""

    formfield_overrides: ClassVar[dict[Any, Any]] = {models.DateField: {"widget": DAY}}
    deeds: ClassVar[tuple[Deed, ...]] = ()
    # The form holds secrets or says where money goes.
    guarded: ClassVar[bool] = False
    list_per_page = 50
    # Columns of the list that are left out where the rows have no room for them.
    spare: ClassVar[tuple[str, ...]] = ()
    # The model's name in the plural is of the list and not of its rows.
    of_entries: ClassVar[bool] = False
    # A row's own name says too little on its page: what kind of row it is stands before it.
    by_kind: ClassVar[bool] = False
    # How the first row comes to be, where staff begin it on another page.
    beginning: ClassVar[Text] = ""
    # The columns of the list as a file; without any there is none.
    exported: ClassVar[tuple[exports.Column, ...]] = ()

    def formfield_for_dbfield(self, db_field: Any, request: Any, **kwargs: Any) -> Any:
        """Offer countries and languages by their names where the column holds codes."""
        if db_field.name in CODES and not db_field.choices:
            code: Any = forms.TypedChoiceField(
                label=capfirst(db_field.verbose_name),
                choices=[*([] if db_field.has_default() else UNCHOSEN), *CODES[db_field.name]()],
                help_text=db_field.help_text,
            )
            return code
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Show whoever may not change the row what it keeps as the form would show it."""
        return self.as_seen(request, obj, super().get_fieldsets(request, obj))

    def as_seen(self, request: HttpRequest, obj: Any, sets: Any) -> Any:
        """Return the fieldsets as they are, or as a reader sees them."""
        if obj is None or self.has_change_permission(request, obj):
            return sets
        named = {name: dict(made()) for name, made in CODES.items() if hasattr(obj, name)}
        return [
            (title, {**shown, "fields": looking.readable(shown["fields"], self.form, obj, named)})
            for title, shown in sets
        ]

    def get_urls(self) -> list[URLPattern]:
        meta = self.opts
        view = self.admin_site.admin_view(self.deed_view)
        name = f"{meta.app_label}_{meta.model_name}_deed"
        return [path("<int:pk>/do/<slug:code>/", view, name=name), *super().get_urls()]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if self.exported and exports.FILE in request.GET:
            return exports.listed(self, request, self.exported)
        return super().changelist_view(request, extra_context)

    def get_list_display(self, request: HttpRequest) -> Any:
        """Return the columns; a choice stands in its cell with a capital, as states do."""
        return [self._column(name) for name in super().get_list_display(request)]

    def _column(self, name: Any) -> Any:
        fields: dict[str, Any] = {each.name: each for each in self.opts.fields}
        field = fields.get(name) if isinstance(name, str) and not hasattr(self, name) else None
        if field is None or not field.flatchoices:
            return name

        @admin.display(description=field.verbose_name, ordering=name)
        def chosen(row: models.Model) -> str:
            return capfirst(str(getattr(row, f"get_{name}_display")()))

        chosen.__name__ = name
        return chosen

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Return the list's actions: the deeds that may be done to many rows at once."""
        found: dict[str, Any] = super().get_actions(request)
        for deed in self.deeds if self.may_act(request) else ():
            if deed.many:
                found[deed.code] = (partial(_to_many, deed=deed), deed.code, deed.button)
        return found

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        row = self.get_object(request, object_id)
        more = {
            "desk_deeds": self._buttons(request, row),
            "desk_links": [] if row is None else self.links(request, row),
            "desk_history": self._history(row),
            **self._under_name(row),
        }
        return super().change_view(request, object_id, form_url, {**more, **(extra_context or {})})

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        more = self._under_name(self.get_object(request, object_id))
        shown = super().history_view(request, object_id, {**more, **(extra_context or {})})
        for entry in (getattr(shown, "context_data", None) or {}).get("action_list", ()):
            entry.change_message = log_texts.told(entry)
        return shown

    def heading(self, row: Any) -> str:
        """Return what the row is called above its own pages, where no list stands around it."""
        name = str(row)
        # A word with a figure or a sign in it is a name as it is: an address, a login.
        name = capfirst(name) if name.split(" ")[0].isalpha() else name
        return f"{capfirst(str(self.opts.verbose_name))} · {name}" if self.by_kind else name

    def _under_name(self, row: models.Model | None) -> dict[str, str]:
        return {} if row is None else {"desk_name": self.heading(row)}

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        if self.guarded and self.may_act(request):
            demand_fresh_proof(request)
        return super().changeform_view(request, object_id, form_url, extra_context)

    def deletion(self, row: Any) -> Text:
        """Return what it means that the row is gone, where its name does not say it."""
        return ""

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> Any:
        row = self.get_object(request, object_id)
        more = {} if row is None else {"desk_meaning": self.deletion(row), **self._under_name(row)}
        return super().delete_view(request, object_id, {**more, **(extra_context or {})})

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Return what goes with it; what keeps it, by name, with numbers in their order."""
        gone, counts, lacking, protected = super().get_deleted_objects(objs, request)
        return gone, counts, lacking, sorted(protected, key=_by_number)

    def deed_view(self, request: HttpRequest, pk: int, code: str) -> HttpResponse:
        """Show what the deed will do; on POST do it, once, and say what came of it."""
        self._demand_right(request)
        row = self.get_object(request, str(pk))
        deed = next((each for each in self.deeds if each.code == code), None)
        if row is None or deed is None:
            raise Http404
        if not deed.offered(row):
            messages.warning(request, NOT_NOW)
            return HttpResponseRedirect(self._address(row))
        if deed.guarded:
            demand_fresh_proof(request)
        form = deed.form_for(row, request.POST if request.method == "POST" else None)
        if form.is_valid() and self._done(request, row, deed, form):
            return HttpResponseRedirect(deed.afterwards(request, row) or self._address(row))
        return TemplateResponse(request, "admin/deed.html", self._told(request, row, deed, form))

    def _done(self, request: HttpRequest, row: models.Model, deed: Deed, form: DeedForm) -> bool:
        try:
            said = self.do(request, row, deed, form)
        except Impossible as error:
            form.add_error(None, str(error))
            return False
        messages.success(request, str(said))
        return True

    def do(
        self,
        request: HttpRequest,
        row: models.Model,
        deed: Deed,
        form: DeedForm,
        *,
        stake: Money | None = None,
    ) -> Text:
        """Do the deed to the row, or keep it for a second person; return what to tell.

        `stake` is the sum of all rows to which it is done at once. Raises Impossible.
        """
        actor = f"staff:{request.user.pk}"
        said = self._proposed(request, row, deed, form, stake) or deed.carry_out(
            row, form.cleaned_data, at=clock.now(), actor=actor
        )
        self.log_change(request, row, f"{deed.name}: {said}")
        return said

    def _proposed(
        self,
        request: HttpRequest,
        row: models.Model,
        deed: Deed,
        form: DeedForm,
        stake: Money | None,
    ) -> Text:
        """Keep the deed for a second person if it weighs too much for one; else return nothing."""
        weight = deed.weighs(row, form.cleaned_data)
        if weight is None or not proposals.needs_second(stake or weight):
            return ""
        sent = {name: list(values) for name, values in request.POST.lists() if name != CSRF}
        actor = f"staff:{request.user.pk}"
        proposals.propose(row, deed.code, sent, weight, at=clock.now(), actor=actor)
        return gettext("Nothing is done yet: a second person has to approve %(amount)s.") % {
            "amount": amount(weight)
        }

    def _told(
        self, request: HttpRequest, row: models.Model, deed: Deed, form: DeedForm
    ) -> dict[str, Any]:
        return {
            **self.admin_site.each_context(request),
            "title": deed.title(row),
            "opts": self.opts,
            "original": row,
            **self._under_name(row),
            "deed": deed,
            "effects": deed.effects(row),
            "facts": deed.facts(row),
            "form": form,
            "back": self._address(row),
        }

    def _buttons(self, request: HttpRequest, row: models.Model | None) -> list[dict[str, Any]]:
        if row is None or not self.may_act(request):
            return []
        name = f"admin:{self.opts.app_label}_{self.opts.model_name}_deed"
        return [
            {"deed": deed, "url": reverse(name, args=[row.pk, deed.code])}
            for deed in self.deeds
            if deed.offered(row)
        ]

    def links(self, request: HttpRequest, row: Any) -> list[tuple[Text, str]]:
        """Return what else there is to press above the row: a label and an address each."""
        return []

    def deeds_of(
        self, request: HttpRequest, other: models.Model | None, *codes: str
    ) -> list[tuple[Text, str]]:
        """Return those deeds of another row, as links, that may be done to it now."""
        if other is None:
            return []
        page = self.admin_site.get_model_admin(type(other))
        assert isinstance(page, Page)
        buttons = page._buttons(request, other)
        return [
            (each["deed"].button, each["url"]) for each in buttons if each["deed"].code in codes
        ]

    def may_act(self, request: HttpRequest) -> bool:
        """Deeds need the model's change right, also where its form lets nobody change anything."""
        meta = self.opts
        return request.user.has_perm(f"{meta.app_label}.change_{meta.model_name}")

    def _demand_right(self, request: HttpRequest) -> None:
        if not self.may_act(request):
            raise PermissionDenied

    def _address(self, row: models.Model) -> str:
        name = f"admin:{self.opts.app_label}_{self.opts.model_name}_change"
        return reverse(name, args=[row.pk])

    def _history(self, row: models.Model | None) -> Any:
        if row is None or not hasattr(row, "state"):
            return None
        state: Any = row._meta.get_field("state")
        words = dict(state.flatchoices)
        steps = StateChange.objects.filter(subject=row._meta.model_name, subject_id=row.pk)
        names = actors.told(each.actor for each in steps)
        whys = causes.told(each.reason for each in steps)
        return [
            {
                "at": each.at,
                "before": words.get(each.before, each.before),
                "after": words.get(each.after, each.after),
                "by": names[each.actor],
                "why": whys[each.reason],
            }
            for each in steps
        ]


def _by_number(text: str) -> list[tuple[bool, int, str]]:
    parts = re.findall(r"\d+|\D+", str(strip_tags(text)))
    return [(each.isdecimal(), int(each) if each.isdecimal() else 0, each) for each in parts]


def _to_many(
    page: Page, request: HttpRequest, rows: models.QuerySet[Any], *, deed: Deed
) -> HttpResponse | None:
    context = {**page.admin_site.each_context(request), "opts": page.opts}

    def do(row: models.Model, form: DeedForm, stake: Money | None) -> Text:
        return page.do(request, row, deed, form, stake=stake)

    return bulk.answer(request, rows, deed, do=do, context=context)


class ByActor:
    """Pages of rows that keep who made them: a column shows the name."""

    _names = Told(actors.told)

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """Return the page of the list; the names of all who stand on it are read at once."""
        found = super().get_changelist_instance(request)  # type: ignore[misc]
        self._names = Told(actors.told, [row.actor for row in found.result_list])
        return found

    @admin.display(description=_("actor"), ordering="actor")
    def by(self, row: Any) -> str:
        name: str = self._names[row.actor]
        return name


class NotEditable:
    """Looked at, never edited: the flows alone write these rows, whoever is signed in."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class ReadOnlyPage(NotEditable, Page):
    """Pages without a form."""


class ReadOnlyInline(NotEditable, TabularInline):
    """Rows below their owner, without a form."""

    extra = 0
    can_delete = False
    show_change_link = True
