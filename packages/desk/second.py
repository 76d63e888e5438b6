"""The pages of the rule of two: what waits for a second person, and from which sums on."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django import forms
from django.apps import apps
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import models
from django.forms import BoundField
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from packages.desk import Impossible, actors, proposals
from packages.desk.cells import EMPTY, amount, lines, link, state
from packages.desk.deeds import Deed, ReasonForm, Text
from packages.desk.filters import ModelFilter
from packages.desk.pages import Page, ReadOnlyPage
from packages.desk.proposals import Proposal, SecondPerson
from packages.desk.sums import SumsForm, money
from packages.desk.told import Told

# Names of so many letters are not parted.
SHORT = 24


def subject_of(proposal: Proposal) -> models.Model | None:
    """Return the row that the proposed deed is about, None if it is gone."""
    rows: models.QuerySet[models.Model] = apps.get_model(proposal.subject)._default_manager.all()
    return rows.filter(pk=proposal.subject_id).first()


def deed_of(proposal: Proposal) -> Deed:
    """Return the proposed deed, from the page of its row; raise Impossible if there is none."""
    page = admin.site.get_model_admin(apps.get_model(proposal.subject))
    deeds: Sequence[Deed] = getattr(page, "deeds", ())
    for deed in deeds:
        if deed.code == proposal.deed:
            return deed
    raise Impossible(_("This deed does not exist any more."))


class Approve(Deed):
    code, label, danger = "approve", gettext_lazy("Approve and do it"), True
    guarded = True

    def offered(self, row: Proposal) -> bool:
        subject = subject_of(row)
        if row.state != Proposal.State.PROPOSED or subject is None:
            return False
        try:
            return deed_of(row).offered(subject)
        except Impossible:
            return False

    def effects(self, row: Proposal) -> Sequence[Text]:
        return deed_of(row).effects(subject_of(row))

    def facts(self, row: Proposal) -> Sequence[tuple[Text, Any]]:
        subject, deed = subject_of(row), deed_of(row)
        fields = deed.form_for(subject, _sent(row)).visible_fields()
        return [
            *_facts(row, subject),
            *deed.facts(subject),
            *((field.label, said) for field in fields if (said := _said(field))),
        ]

    def carry_out(self, row: Proposal, given: dict[str, Any], *, at: datetime, actor: str) -> Text:
        subject, deed = subject_of(row), deed_of(row)

        def do(both: str) -> str:
            if subject is None or not deed.offered(subject):
                raise Impossible(_("This is not possible any more; deny it."))
            form = deed.form_for(subject, _sent(row))
            if not form.is_valid():
                raise Impossible(_("What was filled in is not valid any more; deny it."))
            return str(deed.carry_out(subject, form.cleaned_data, at=at, actor=both))

        return proposals.approve(row, do, at=at, actor=actor)


def _is_own(request: HttpRequest, row: Proposal) -> bool:
    return row.proposed_by == f"staff:{request.user.pk}"


class Deny(Deed):
    code, label, form = "deny", gettext_lazy("Deny"), ReasonForm

    def offered(self, row: Proposal) -> bool:
        return row.state == Proposal.State.PROPOSED

    def effects(self, row: Proposal) -> Sequence[Text]:
        return [_("Nothing of it is done. It can be proposed anew.")]

    def facts(self, row: Proposal) -> Sequence[tuple[Text, Any]]:
        return _facts(row, subject_of(row))

    def carry_out(self, row: Proposal, given: dict[str, Any], *, at: datetime, actor: str) -> Text:
        proposals.deny(row, reason=given["reason"], at=at, actor=actor)
        return _("It is denied.")


@admin.register(Proposal)
class ProposalPage(ReadOnlyPage):
    _names = Told(actors.told)
    deeds = (Approve(), Deny())
    spare = ("proposer",)
    list_display = ("what", "status", "on_what", "total", "proposer", "at")
    list_filter = ("state", ("subject", ModelFilter), "at")
    search_fields = ("about", "proposed_by", "decided_by")
    readonly_fields = ("what", "status", "subject_link", "total", "filled_in") + (
        "proposer",
        "decider",
    )
    fieldsets = (
        (None, {"fields": ("status", "what", "subject_link", "total", "filled_in")}),
        (
            gettext_lazy("Who and when"),
            {"fields": ("proposer", "at", "decider", "decided_at")},
        ),
    )

    def heading(self, row: Proposal) -> str:
        """Name the deed: what it is about has a page of its own by its own name."""
        return f"{_name(row)} · {subject_of(row) or row.about}"

    @admin.display(description=gettext_lazy("about"), ordering="about")
    def on_what(self, row: Proposal) -> str:
        short = len(row.about) < SHORT
        return format_html('<span class="{}">{}</span>', "desk-when" if short else "", row.about)

    def may_act(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def deed_view(self, request: HttpRequest, pk: int, code: str) -> HttpResponse:
        """Deciding needs the same right as the deed itself."""
        row = Proposal.objects.filter(pk=pk).first()
        app, _dot, model = row.subject.partition(".") if row else ("", "", "")
        if row is not None and not request.user.has_perm(f"{app}.change_{model}"):
            raise PermissionDenied
        if row is not None and code == Approve.code and _is_own(request, row):
            messages.warning(
                request, _("You have proposed this yourself. Somebody else has to approve it.")
            )
            return HttpResponseRedirect(self._address(row))
        return super().deed_view(request, pk, code)

    def _buttons(self, request: HttpRequest, row: models.Model | None) -> list[dict[str, Any]]:
        buttons = super()._buttons(request, row)
        if isinstance(row, Proposal) and _is_own(request, row):
            return [each for each in buttons if each["deed"].code != Approve.code]
        return buttons

    @admin.display(description=gettext_lazy("deed"), ordering="deed")
    def what(self, row: Proposal) -> str:
        return _name(row)

    @admin.display(description=gettext_lazy("state"), ordering="state")
    def status(self, row: Proposal) -> str:
        return state(row)

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """Return the page of the list; the names of all who stand on it are read at once."""
        found = super().get_changelist_instance(request)
        both = ((row.proposed_by, row.decided_by) for row in found.result_list)
        self._names = Told(actors.told, [name for pair in both for name in pair if name])
        return found

    @admin.display(description=gettext_lazy("proposed by"), ordering="proposed_by")
    def proposer(self, row: Proposal) -> str:
        return self._named(row.proposed_by)

    @admin.display(description=gettext_lazy("decided by"), ordering="decided_by")
    def decider(self, row: Proposal) -> str:
        return self._named(row.decided_by)

    def _named(self, actor: str) -> str:
        if not actor:
            return EMPTY
        name: str = self._names[actor]
        return name

    @admin.display(description=gettext_lazy("about"))
    def subject_link(self, row: Proposal) -> str:
        subject = subject_of(row)
        return link(subject) if subject is not None else row.about

    @admin.display(description=gettext_lazy("amount"), ordering="amount_minor")
    def total(self, row: Proposal) -> str:
        return amount(row.amount)

    @admin.display(description=gettext_lazy("as filled in"))
    def filled_in(self, row: Proposal) -> str:
        subject = subject_of(row)
        try:
            fields = deed_of(row).form_for(subject, _sent(row)).visible_fields() if subject else []
        except Impossible:
            return EMPTY
        said = ((str(each.label), _said(each)) for each in fields)
        return lines([_answer(label, value) for label, value in said if value])


def _name(row: Proposal) -> str:
    """Return what the deed is called, its code if it exists no more."""
    try:
        return deed_of(row).name
    except Impossible:
        return row.deed


def _facts(row: Proposal, subject: models.Model | None) -> list[tuple[Text, Any]]:
    return [
        (_("Deed"), _name(row)),
        (_("About"), row.about if subject is None else link(subject)),
        (_("Amount"), amount(row.amount)),
        (_("Proposed by"), actors.told([row.proposed_by])[row.proposed_by]),
    ]


def _said(field: BoundField) -> Any:
    """Return what was filled in, of a choice its words."""
    if not isinstance(field.field, forms.ChoiceField):
        return field.value()
    choices: Any = field.field.choices
    words = {str(code): word for code, word in choices}
    return words.get(str(field.value() or ""), field.value())


def _answer(label: str, value: Any) -> str:
    """Return a field with what was entered; a question needs no colon behind it."""
    return f"{label} {value}" if label.endswith("?") else f"{label}: {value}"


class SecondPersonForm(SumsForm):
    above_minor = money(
        gettext_lazy("A second person above"), help_text=gettext_lazy("0: for every amount.")
    )
    sums = ("above_minor",)

    class Meta:
        model = SecondPerson
        fields = ("currency", "above_minor")


@admin.register(SecondPerson)
class SecondPersonPage(Page):
    by_kind = True
    form = SecondPersonForm
    guarded = True
    list_display = ("currency", "above_amount")

    def deletion(self, row: SecondPerson) -> Text:
        return _("One person decides alone again over every amount in %(currency)s.") % {
            "currency": row.currency
        }

    @admin.display(description=gettext_lazy("a second person above"))
    def above_amount(self, row: SecondPerson) -> str:
        return amount(row.above)


def _sent(proposal: Proposal) -> QueryDict:
    data = QueryDict(mutable=True)
    for name, values in proposal.given.items():
        data.setlist(name, values)
    return data
