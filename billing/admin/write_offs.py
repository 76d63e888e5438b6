"""The deed "Write off…": what nobody will pay any more."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing import settlements
from billing.models import Invoice
from packages.desk import Impossible
from packages.desk.cells import amount, link
from packages.desk.deeds import Deed, ReasonForm, Text
from packages.money import Money


class WriteOff(Deed):
    code = "write-off"
    label = gettext_lazy("Write off…")
    guarded = True
    danger = True
    many = True
    form = ReasonForm

    def offered(self, row: Invoice) -> bool:
        return row.state == Invoice.State.OPEN

    def effects(self, row: Invoice) -> Sequence[Text]:
        return [
            _("What is still due is booked as bad debt, and nobody is asked for it any more."),
            _("A running service goes on: end it by itself. An unpaid order is cancelled."),
            _("What arrives all the same goes onto the customer's balance."),
            _("The VAT of it is corrected by your accountant, not here. This cannot be undone."),
        ]

    def facts(self, row: Invoice) -> Sequence[tuple[Text, Any]]:
        return [(_("Customer"), link(row.customer)), (_("Still to be paid"), amount(row.due))]

    def weighs(self, row: Invoice, given: dict[str, Any]) -> Money | None:
        return row.due

    def carry_out(self, row: Invoice, given: dict[str, Any], *, at: datetime, actor: str) -> Text:
        try:
            gone = settlements.write_off(row, reason=given["reason"], at=at, actor=actor)
        except settlements.NotOpen as error:
            raise Impossible(_("Nothing is due, or a payment is just being confirmed.")) from error
        return _("%(amount)s are written off.") % {"amount": amount(gone)}
