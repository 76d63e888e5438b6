"""Surveys: what was found out about a server, the whole transcript, and the mapping it comes to."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import groupby
from typing import Any

from django.contrib import admin
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from packages.desk import Impossible, reasons
from packages.desk.cells import EMPTY, TONES, badge, lines, link, state
from packages.desk.deeds import Deed, ProofForm, Text
from packages.desk.pages import ReadOnlyInline, ReadOnlyPage
from provisioning import survey_desk
from provisioning.dialler.mapping import MappingError
from provisioning.dialler.survey.steps import STEPS
from provisioning.models import Survey, SurveyEntry

STEP_NAMES = {
    "roles": gettext_lazy("List of roles"),
    "lookup": gettext_lazy("Look up by name"),
    "create": gettext_lazy("Create"),
    "read": gettext_lazy("Read back"),
    "fields": gettext_lazy("One field at a time"),
    "suspend": gettext_lazy("Suspend and resume"),
    "credit": gettext_lazy("Credit 0.01"),
    "debit": gettext_lazy("Take 0.01 back"),
    "password": gettext_lazy("Change the password"),
    "listing": gettext_lazy("List of accounts"),
    "usage": gettext_lazy("Campaigns"),
    "delete": gettext_lazy("Delete"),
}
VERDICTS = {
    "works": ("ok", gettext_lazy("works")),
    "missing": ("warn", gettext_lazy("not found")),
    "refused": ("warn", gettext_lazy("refused")),
    "unseen": ("warn", gettext_lazy("accepted, but not shown")),
    "resets": ("warn", gettext_lazy("reset by an update, so sent back with each")),
    "left": ("bad", gettext_lazy("the account is still there")),
}


class Apply(Deed):
    code, label, guarded = "apply", gettext_lazy("Apply the proposed mapping"), True

    def offered(self, row: Survey) -> bool:
        over = row.state not in Survey.OPEN
        return over and row.applied_at is None and bool(changes(row)) and not problems(row)

    def effects(self, row: Survey) -> Sequence[Text]:
        return [
            _("The mapping of %(server)s becomes the proposed one; every job uses it from now on.")
            % {"server": row.server.name},
            _("What the API cannot do becomes a task for staff."),
        ]

    def facts(self, row: Survey) -> Sequence[tuple[Text, Any]]:
        return [(path, f"{before} → {after}") for path, before, after in changes(row)]

    def carry_out(self, row: Survey, given: dict[str, Any], *, at: datetime, actor: str) -> Text:
        try:
            survey_desk.apply(row, at=at)
        except MappingError as error:
            raise Impossible(" ".join(error.problems)) from error
        return _("The server has the new mapping.")


class CleanUp(Deed):
    code, label = "clean-up", gettext_lazy("Try to delete the account again")

    def offered(self, row: Survey) -> bool:
        return row.state == Survey.State.LEFT

    def effects(self, row: Survey) -> Sequence[Text]:
        return [
            _("A worker looks for %(username)s on %(server)s and deletes it.")
            % {"username": row.username, "server": row.server.name}
        ]

    def carry_out(self, row: Survey, given: dict[str, Any], *, at: datetime, actor: str) -> Text:
        survey_desk.clean_up_again(row, at=at, actor=actor)
        return _("A worker looks at it now. Reload this page to see what it found.")


class Gone(CleanUp):
    code, label, form = "gone", gettext_lazy("I have deleted it"), ProofForm

    def effects(self, row: Survey) -> Sequence[Text]:
        return [
            _("You say that %(username)s is not on %(server)s any more. Nothing is sent.")
            % {"username": row.username, "server": row.server.name}
        ]

    def carry_out(self, row: Survey, given: dict[str, Any], *, at: datetime, actor: str) -> Text:
        survey_desk.gone(row, given["proof"], at=at, actor=actor)
        return _("The survey is closed.")


class Transcript(ReadOnlyInline):
    model = SurveyEntry
    fields = ("step_name", "called", "sent", "status", "result", "said", "seconds")
    readonly_fields = fields
    show_change_link = False

    @admin.display(description=gettext_lazy("step"))
    def step_name(self, row: SurveyEntry) -> str:
        return str(STEP_NAMES.get(row.step, row.step))

    @admin.display(description=gettext_lazy("API method"))
    def called(self, row: SurveyEntry) -> str:
        return row.method

    @admin.display(description=gettext_lazy("sent"))
    def sent(self, row: SurveyEntry) -> SafeString | str:
        return _code("\n".join(f"{name} = {text}" for name, text in row.fields))

    @admin.display(description=gettext_lazy("outcome"))
    def result(self, row: SurveyEntry) -> str:
        # No is an answer; before it creates and after it deleted, the one that is hoped for.
        tones = {"yes": "ok", "no": ""}
        word = {"yes": _("Yes"), "no": _("No")}.get(row.outcome, row.outcome)
        return badge(tones.get(row.outcome, TONES.get(row.outcome, "bad")), word)

    @admin.display(description=gettext_lazy("answer"))
    def said(self, row: SurveyEntry) -> SafeString | str:
        return _code(row.answer)


@admin.register(Survey)
class SurveyPage(ReadOnlyPage):
    deeds = (Apply(), CleanUp(), Gone())
    beginning = gettext_lazy("A survey begins at its server, with “Survey the API…”.")
    list_display = ("created_at", "server_link", "status", "username", "why", "applied_at")
    list_filter = ("state", "server")
    list_select_related = ("server",)
    inlines = (Transcript,)
    fieldsets = (
        (None, {"fields": ("status", "why", "server_link", "username", "tariff")}),
        (gettext_lazy("What came of it"), {"fields": ("found", "proposal", "cannot")}),
        (gettext_lazy("When"), {"fields": ("created_at", "finished_at", "applied_at")}),
    )
    readonly_fields = ("status", "why", "server_link", "found", "proposal", "cannot")

    @admin.display(description=gettext_lazy("state"), ordering="state")
    def status(self, row: Survey) -> str:
        return state(row)

    @admin.display(description=gettext_lazy("reason"), ordering="reason")
    def why(self, row: Survey) -> str:
        return reasons.told(row.reason) or EMPTY

    @admin.display(description=gettext_lazy("server"), ordering="server")
    def server_link(self, row: Survey) -> str:
        return link(row.server)

    @admin.display(description=gettext_lazy("found out"))
    def found(self, row: Survey) -> SafeString | str:
        """Return the steps that were made, each with what came of it."""
        steps = ((STEP_NAMES[step], row.findings[step]) for step in STEPS if step in row.findings)
        return _table((name, _told(found)) for name, found in steps)

    @admin.display(description=gettext_lazy("proposed mapping"))
    def proposal(self, row: Survey) -> SafeString | str:
        return _table(
            (path, format_html("<del>{}</del> → <ins>{}</ins>", before, after))
            for path, before, after in changes(row)
        )

    @admin.display(description=gettext_lazy("cannot be used"))
    def cannot(self, row: Survey) -> SafeString | str:
        return lines(problems(row))


def changes(survey: Survey) -> list[tuple[str, str, str]]:
    """Return what the proposal changes in the mapping that the server had: path, before, after."""
    before = survey_desk.complete(survey.mapping_before, survey.server)
    return list(_changes(before, survey.mapping))


def problems(survey: Survey) -> list[str]:
    """Return why the proposed mapping cannot be used, nothing if it can."""
    try:
        survey_desk.proposal(survey)
    except MappingError as error:
        return list(error.problems)
    return []


def _changes(before: Any, after: Any, path: str = "") -> Iterator[tuple[str, str, str]]:
    if isinstance(before, dict) and isinstance(after, dict):
        for key in {**before, **after}:
            inner = f"{path}.{key}" if path else key
            yield from _changes(before.get(key), after.get(key), inner)
    elif before != after:
        yield path, _shown(before), _shown(after)


def _shown(value: Any) -> str:
    shown = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    return shown if shown not in ("", "None") else EMPTY


def _told(findings: list[dict[str, str]]) -> SafeString | str:
    """Return what was found, with one sign for all that came out alike."""
    alike = groupby(findings, key=lambda each: each["verdict"])
    return format_html_join(
        "",
        "<div>{} {}</div>",
        (
            (
                badge(*VERDICTS.get(verdict, ("", verdict))),
                ", ".join(each["about"] for each in some),
            )
            for verdict, some in alike
        ),
    )


def _table(rows: Iterable[tuple[Text, str]]) -> SafeString | str:
    """Return a name and what is told of it in each row."""
    line = '<tr><th scope="row">{}</th><td data-label="" data-long>{}</td></tr>'
    told = format_html_join("", line, rows)
    return format_html('<table class="board__table desk-diff">{}</table>', told) if told else EMPTY


def _code(text: str) -> SafeString | str:
    """Return a text in a box that opens when it is long."""
    if len(text) <= 120:
        return format_html('<pre class="desk-code">{}</pre>', text)
    return format_html(
        '<details class="desk-fold"><summary>{}…</summary>'
        '<pre class="desk-code">{}</pre></details>',
        text[:80],
        text,
    )
