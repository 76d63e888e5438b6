"""What consumers declared without signing in: read here, and answered by staff where it waits."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.contrib import admin
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing import declarations
from billing.models import Declaration
from packages.desk import Impossible
from packages.desk.cells import EMPTY, day, link, moment, state
from packages.desk.deeds import Deed, ProofForm, ReasonForm, Text
from packages.desk.pages import ReadOnlyPage
from packages.states import IllegalMove

NOT_WAITING = gettext_lazy("This declaration does not wait for staff any more.")


class _Answer(Deed):
    def offered(self, row: Declaration) -> bool:
        return row.state == Declaration.State.RECEIVED

    def facts(self, row: Declaration) -> Sequence[tuple[Text, Any]]:
        facts: list[tuple[Text, Any]] = [
            (_("Declared"), row.title),
            (_("By"), f"{row.name} · {row.email}"),
            (_("Contract"), row.contract or EMPTY),
            (_("Received"), moment(row.received_at)),
        ]
        if row.subscription is None:
            return facts
        return [
            *facts,
            (_("Service"), link(row.subscription)),
            (_("Paid until"), day(row.subscription.paid_until)),
        ]


class CarriedOut(_Answer):
    code = "carried-out"
    label = gettext_lazy("Mark as carried out…")
    form = ProofForm

    def effects(self, row: Declaration) -> Sequence[Text]:
        if row.kind == Declaration.Kind.WITHDRAWAL:
            first = _(
                "First end the service at its own page, and give the money back by a credit note "
                "within 14 days, less the value of what was used."
            )
        else:
            first = _("First end the service at its own page, to the day that is right.")
        return [first, _("Here you only note that it was done; nothing is sent.")]

    def carry_out(
        self, row: Declaration, given: dict[str, Any], *, at: datetime, actor: str
    ) -> Text:
        try:
            declarations.carry_out(row, proof=given["proof"], at=at, actor=actor)
        except IllegalMove as error:
            raise Impossible(str(NOT_WAITING)) from error
        return _("Noted as carried out.")


class Refuse(_Answer):
    code = "refuse"
    label = gettext_lazy("Mark as not valid…")
    danger = True
    form = ReasonForm

    def effects(self, row: Declaration) -> Sequence[Text]:
        return [
            _("Nothing ends, and nothing is sent: write to the declarer yourself."),
            _("The declaration stays as it was received."),
        ]

    def carry_out(
        self, row: Declaration, given: dict[str, Any], *, at: datetime, actor: str
    ) -> Text:
        try:
            declarations.refuse(row, reason=given["reason"], at=at, actor=actor)
        except IllegalMove as error:
            raise Impossible(str(NOT_WAITING)) from error
        return _("Noted as not valid.")


@admin.register(Declaration)
class DeclarationPage(ReadOnlyPage):
    deeds = (CarriedOut(), Refuse())
    list_display = ("name", "kind", "status", "email", "contract", "service", "received_at")
    spare = ("email",)
    list_filter = ("state", "kind", "received_at")
    search_fields = ("name", "email", "contract")
    list_select_related = ("subscription__package", "subscription__customer")
    readonly_fields = ("status", "service")
    fieldsets = (
        (None, {"fields": ("status", "kind", "service")}),
        (
            gettext_lazy("As declared"),
            {
                "fields": (
                    ("name", "email"),
                    "contract",
                    ("extraordinary", "wished_on"),
                    "cause",
                    "received_at",
                )
            },
        ),
    )

    @admin.display(description=gettext_lazy("state"), ordering="state")
    def status(self, row: Declaration) -> str:
        return state(row)

    @admin.display(description=gettext_lazy("service"))
    def service(self, row: Declaration) -> str:
        return link(row.subscription)
