"""What customers want of their data: deletions wait for staff, copies are made by themselves."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.contrib import admin
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing import data_requests
from billing.models import DataExport, DeletionRequest
from packages.desk import Impossible
from packages.desk.cells import link, moment, state
from packages.desk.deeds import Deed, ProofForm, ReasonForm, Text
from packages.desk.pages import ReadOnlyPage
from packages.states import IllegalMove

State = DeletionRequest.State


class _Answer(Deed):
    def offered(self, row: DeletionRequest) -> bool:
        return row.state == State.RECEIVED

    def facts(self, row: DeletionRequest) -> Sequence[tuple[Text, Any]]:
        return [
            (_("Customer"), link(row.customer)),
            (_("Asked for by"), link(row.asked_by)),
            (_("Asked for on"), moment(row.asked_at)),
        ]

    def _note(
        self, row: DeletionRequest, to: DeletionRequest.State, why: str, at: datetime, actor: str
    ) -> None:
        try:
            data_requests.answer_deletion(row, to, reason=why, at=at, actor=actor)
        except IllegalMove as error:
            raise Impossible(_("This request does not wait for staff any more.")) from error


class Deleted(_Answer):
    code = "carried-out"
    label = gettext_lazy("Mark as carried out…")
    form = ProofForm

    def effects(self, row: DeletionRequest) -> Sequence[Text]:
        return [
            _("First end what runs, and take out of the customer's pages what need not be kept."),
            _("Invoices and books stay: § 147 AO. Here you only note that it was done."),
            _("Nothing is sent: write to the customer yourself."),
        ]

    def carry_out(
        self, row: DeletionRequest, given: dict[str, Any], *, at: datetime, actor: str
    ) -> Text:
        self._note(row, State.DONE, given["proof"], at, actor)
        return _("Noted as carried out.")


class NotPossible(_Answer):
    code = "refuse"
    label = gettext_lazy("Mark as not possible…")
    danger = True
    form = ReasonForm

    def effects(self, row: DeletionRequest) -> Sequence[Text]:
        return [_("Nothing is deleted, and nothing is sent: write to the customer yourself.")]

    def carry_out(
        self, row: DeletionRequest, given: dict[str, Any], *, at: datetime, actor: str
    ) -> Text:
        self._note(row, State.REFUSED, given["reason"], at, actor)
        return _("Noted as not possible.")


class _DataPage(ReadOnlyPage):
    by_kind = True
    list_display = ("__str__", "status", "asked_by", "asked_at")
    list_filter = ("state", "asked_at")
    list_select_related = ("customer", "asked_by")
    readonly_fields = ("status", "customer_link")
    fields = ("status", "customer_link", "asked_by", "asked_at")

    @admin.display(description=gettext_lazy("state"), ordering="state")
    def status(self, row: DataExport | DeletionRequest) -> str:
        return state(row)

    @admin.display(description=gettext_lazy("customer"))
    def customer_link(self, row: DataExport | DeletionRequest) -> str:
        return link(row.customer)


@admin.register(DeletionRequest)
class DeletionRequestPage(_DataPage):
    deeds = (Deleted(), NotPossible())


@admin.register(DataExport)
class DataExportPage(_DataPage):
    def get_queryset(self, request: Any) -> Any:
        return super().get_queryset(request).defer("content")
