"""The deed "See the shop as this customer…"."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing import viewing
from billing.models import Customer
from packages import clock
from packages.desk import Impossible
from packages.desk.deeds import Deed, ReasonForm, Text


class SeeTheShop(Deed):
    code = "see-shop"
    label = gettext_lazy("See the shop as this customer…")
    guarded = True
    form = ReasonForm

    def offered(self, row: Customer) -> bool:
        return row.memberships.exists()

    def effects(self, row: Customer) -> Sequence[Text]:
        return [
            _("You see the client area as this customer does, for 30 minutes at most."),
            _("You only look: nothing can be ordered, paid, agreed to or changed."),
            _("A line at the top says so, with the button that leads back here."),
            _("Who looked, when and why is kept in the audit log."),
        ]

    def carry_out(self, row: Customer, given: dict[str, Any], *, at: datetime, actor: str) -> Text:
        try:
            viewing.begin(row, reason=given["reason"], at=at, actor=actor)
        except viewing.NobodySees as error:
            raise Impossible(_("Nobody's client area shows this customer.")) from error
        return _("You see the shop as this customer.")

    def afterwards(self, request: HttpRequest, row: Customer) -> str:
        request.session["viewing"] = {"customer": row.pk, "since": clock.now().isoformat()}
        return reverse("storefront:dashboard")
