"""Statements from the bank: handed in here, read by a worker, watched while that goes on."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from billing import statement_files
from billing.bank.files import MAX_FILE
from billing.models import BankEntry, StatementFile, StatementLayout
from packages import clock
from packages.desk import actors, reasons
from packages.desk.cells import EMPTY, badge, counted, state
from packages.desk.deeds import Deed, DeedForm, Text
from packages.desk.door import demand_fresh_proof
from packages.desk.pages import Page, ReadOnlyPage

State = BankEntry.State


def layouts() -> "forms.ModelChoiceField[StatementLayout]":
    return forms.ModelChoiceField(
        StatementLayout.objects.all(),
        label=gettext_lazy("Layout of a CSV file"),
        required=False,
        empty_label=gettext_lazy("recognise it by its heading"),
        help_text=gettext_lazy("Does not matter for CAMT.053."),
    )


class UploadForm(forms.Form):
    statement = forms.FileField(
        label=gettext_lazy("File from the bank"),
        help_text=gettext_lazy("CAMT.053 (XML), CSV, or a ZIP of several; up to 20 MB."),
        widget=forms.ClearableFileInput(attrs={"accept": ".xml,.csv,.txt,.zip"}),
    )
    layout = layouts()

    def clean_statement(self) -> Any:
        given = self.cleaned_data["statement"]
        if given.size > MAX_FILE:
            raise forms.ValidationError(_("This file is larger than 20 MB."))
        return given


class LayoutForm(DeedForm):
    layout = layouts()


class ReadAgain(Deed):
    code = "again"
    label = gettext_lazy("Read this file again…")
    form = LayoutForm

    def offered(self, row: StatementFile) -> bool:
        return row.state == StatementFile.State.FAILED

    def effects(self, row: StatementFile) -> Sequence[Text]:
        return [
            _("The file is read once more, by the layout you choose."),
            _("Lines that are known already are not stored and not booked again."),
        ]

    def facts(self, row: StatementFile) -> Sequence[tuple[Text, Any]]:
        return [(_("Why it could not be read"), reasons.told(row.note))]

    def carry_out(
        self, row: StatementFile, given: dict[str, Any], *, at: datetime, actor: str
    ) -> Text:
        statement_files.read_again(row, given["layout"], at=at, actor=actor)
        return _("The file is being read.")


@admin.register(StatementFile)
class StatementFilePage(ReadOnlyPage):
    deeds = (ReadAgain(),)
    change_form_template = "admin/statement_file.html"
    list_display = ("name", "status", "all_lines", "new_lines", "to_decide", "handed_in_at")
    list_filter = ("state", "handed_in_at")
    search_fields = ("name",)
    readonly_fields = (
        "status",
        "progress",
        "why",
        "by",
        "known",
        "booked",
        "to_decide",
        "left_us",
    ) + (
        "all_lines",
        "new_lines",
    )
    fieldsets = (
        (None, {"fields": ("status", "progress", "why", "layout")}),
        (
            gettext_lazy("What is in it"),
            {"fields": (("all_lines", "new_lines", "known"), ("booked", "to_decide", "left_us"))},
        ),
        (
            gettext_lazy("When"),
            {"fields": (("handed_in_at", "by", "finished_at"),)},
        ),
    )

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("billing.add_statementfile")

    def add_view(
        self,
        request: HttpRequest,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Show where to hand in a file; on POST keep it and go to its page."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        # What is clear in the file is booked without another question.
        demand_fresh_proof(request)
        posted = request.method == "POST"
        form = UploadForm(request.POST if posted else None, request.FILES if posted else None)
        if form.is_valid():
            given = form.cleaned_data["statement"]
            kept = statement_files.keep(
                given.name,
                given.read(),
                layout=form.cleaned_data["layout"],
                at=clock.now(),
                actor=f"staff:{request.user.pk}",
            )
            return HttpResponseRedirect(self._address(kept))
        told = {
            **self.admin_site.each_context(request),
            "title": _("Import a bank statement"),
            "opts": self.opts,
            "form": form,
        }
        return TemplateResponse(request, "admin/statement_upload.html", told)

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        row = self.get_object(request, object_id)
        more = {"under_way": row is not None and _under_way(row)}
        return super().change_view(request, object_id, form_url, {**more, **(extra_context or {})})

    @admin.display(description=gettext_lazy("state"), ordering="state")
    def status(self, row: StatementFile) -> str:
        return state(row)

    @admin.display(description=gettext_lazy("by"))
    def by(self, row: StatementFile) -> str:
        return actors.told([row.handed_in_by])[row.handed_in_by]

    @admin.display(description=gettext_lazy("note"))
    def why(self, row: StatementFile) -> str:
        return reasons.told(row.note) or EMPTY

    @admin.display(description=gettext_lazy("progress"))
    def progress(self, row: StatementFile) -> SafeString | str:
        if row.state in StatementFile.UNFINISHED:
            words = {"done": row.lines_done, "total": row.lines_total or "?"}
            text = _("%(done)s of %(total)s lines read") % words
            return _bar(row.lines_done, row.lines_total, text)
        if row.state == StatementFile.State.FAILED:
            return badge("bad", _("nothing of it was stored"))
        done, most = row.entries_booked
        if done < most:
            words = {"done": done, "total": most}
            return _bar(done, most, _("%(done)s of %(total)s entries booked") % words)
        if waiting := row.entries.filter(state=State.OPEN).count():
            told = ngettext("%(count)s entry needs staff", "%(count)s entries need staff", waiting)
            return badge("warn", told % {"count": waiting})
        return badge("ok", _("all of it is booked") if most else _("nothing of it is to be booked"))

    @admin.display(description=gettext_lazy("lines of the file"), ordering="lines_total")
    def all_lines(self, row: StatementFile) -> str:
        return EMPTY if row.lines_total is None else str(row.lines_total)

    @admin.display(description=gettext_lazy("new lines"), ordering="lines_new")
    def new_lines(self, row: StatementFile) -> str:
        return str(row.lines_new)

    @admin.display(description=gettext_lazy("known before"))
    def known(self, row: StatementFile) -> str:
        return str(row.lines_known)

    @admin.display(description=gettext_lazy("booked"))
    def booked(self, row: StatementFile) -> str:
        return _entries(row, State.BOOKED)

    @admin.display(description=gettext_lazy("need staff"))
    def to_decide(self, row: StatementFile) -> str:
        return _entries(row, State.OPEN)

    @admin.display(description=gettext_lazy("money out"))
    def left_us(self, row: StatementFile) -> str:
        return _entries(row, State.OUTGOING)


@admin.register(StatementLayout)
class StatementLayoutPage(Page):
    list_display = ("name", "delimiter", "encoding", "decimal", "dates")
    fieldsets = (
        (None, {"fields": ("name", ("delimiter", "encoding", "decimal", "dates"))}),
        (
            gettext_lazy("Columns"),
            {
                "description": gettext_lazy(
                    "As they are named in the file's heading. Several names are separated by |."
                ),
                "fields": (
                    ("booked_column", "valued_column"),
                    ("amount_column", "credit_column", "debit_column"),
                    ("currency_column", "currency"),
                    ("text_column", "reference_column"),
                    ("name_column", "iban_column"),
                    ("account_column", "kind_column"),
                    ("status_column", "pending_words"),
                ),
            },
        ),
    )


def _under_way(row: StatementFile) -> bool:
    unfinished = row.state in StatementFile.UNFINISHED
    return unfinished or row.entries.filter(state=State.MATCHED).exists()


def _entries(row: StatementFile, which: BankEntry.State) -> str:
    rows = row.entries.filter(state=which)
    return counted(rows, file__id__exact=row.pk, state__exact=which) if rows.exists() else EMPTY


def _bar(done: int, most: int | None, text: str) -> SafeString:
    """Without a sum yet, the bar says only that something goes on."""
    if not most:
        return format_html("<progress></progress> {}", text)
    return format_html('<progress max="{}" value="{}"></progress> {}', most, done, text)
