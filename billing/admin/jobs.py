"""The jobs' page with the one deed that needs billing: cancel, and give back what was paid."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing import job_refunds
from billing.admin.accounts import service_of
from billing.models import Refund
from packages.desk import Impossible
from packages.desk.cells import amount, link
from packages.desk.deeds import Text
from packages.money import Money
from provisioning import desk
from provisioning.admin.job_deeds import JobDeed, SeenReason
from provisioning.admin.jobs import JobPage
from provisioning.models import Job

Way = Refund.Way


class RefundForm(SeenReason):
    way = forms.ChoiceField(
        label=gettext_lazy("What had been paid"),
        choices=[
            ("", gettext_lazy("stays on the customer's balance")),
            (Way.GATEWAY, gettext_lazy("goes back the way it was paid")),
            (Way.TRANSFER, gettext_lazy("goes back by bank transfer, sent by hand")),
        ],
        required=False,
    )
    field_order = ("way", "reason")


class CancelAndRefund(JobDeed):
    code = "cancel-refund"
    label = gettext_lazy("Cancel and refund…")
    danger = guarded = True
    form = RefundForm

    def offered(self, row: Job) -> bool:
        if not super().offered(row):
            return False
        line = job_refunds.sold_by(row)
        return line is not None and bool(job_refunds.total_of(line))

    def weighs(self, row: Job, given: dict[str, Any]) -> Money | None:
        line = job_refunds.sold_by(row)
        return None if line is None else job_refunds.total_of(line)

    def effects(self, row: Job) -> Sequence[Text]:
        effects = [
            _("The job is given up for good. Nothing is sent to the dialler."),
            _("A credit note is issued over all that is left of what was paid for it."),
            _("The sum becomes the customer's balance; if you choose so, it goes back from there."),
        ]
        if row.kind == Job.Kind.CREATE:
            effects.append(_("All jobs of the account are cancelled, and its service ends."))
        if desk.open_attempt(row) is not None:
            effects.append(_("A command is unanswered; the dialler may have done it all the same."))
        return effects

    def facts(self, row: Job) -> Sequence[tuple[Text, Any]]:
        line = job_refunds.sold_by(row)
        if line is None:
            return super().facts(row)
        return [
            (_("Customer"), link(line.order.customer)),
            (_("Order"), link(line.order)),
            (_("The customer gets back"), amount(job_refunds.total_of(line))),
            *super().facts(row),
        ]

    def carry_out(self, row: Job, given: dict[str, Any], *, at: datetime, actor: str) -> Text:
        if not self.offered(row):
            raise Impossible(_("Nothing was paid for this job by itself."))
        note = job_refunds.cancel(
            row,
            way=Way(given["way"]) if given["way"] else None,
            reason=given["reason"],
            seen=given["seen"],
            at=at,
            actor=actor,
        )
        words = {"number": note.number, "amount": amount(note.total)}
        return _("Credit note %(number)s of %(amount)s is issued.") % words


@admin.register(Job)
class SoldJobPage(JobPage):
    """What provisioning shows of a job, and what billing adds."""

    deeds = (*JobPage.deeds, CancelAndRefund())
    list_select_related = ("account__server", "account__subscription")

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        (title, first), *rest = super().get_fieldsets(request, obj)
        return [(title, {"fields": (*first["fields"], "customer_link", "service")}), *rest]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return (*super().get_readonly_fields(request, obj), "customer_link", "service")

    @admin.display(description=gettext_lazy("customer"))
    def customer_link(self, row: Job) -> str:
        sold = service_of(row.account)
        return link(sold.customer if sold else None)

    @admin.display(description=gettext_lazy("service"))
    def service(self, row: Job) -> str:
        return link(service_of(row.account))
