"""VAT id checks: the evidence for reverse charge. Nobody edits it."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from billing.models import VatCheck
from packages.desk.cells import state
from packages.desk.pages import ReadOnlyPage


@admin.register(VatCheck)
class VatCheckPage(ReadOnlyPage):
    list_display = ("vat_id", "status", "consultation", "name", "answered_at", "simulated")
    list_filter = ("state", "simulated", "answered_at")
    search_fields = ("vat_id", "consultation", "name")
    readonly_fields = ("status",)
    fieldsets = (
        (None, {"fields": ("vat_id", "status", "consultation", "name", "address", "simulated")}),
        (
            _("When"),
            {"fields": (("created_at", "answered_at"), ("next_attempt_at", "attempts", "note"))},
        ),
    )

    @admin.display(description=_("state"), ordering="state")
    def status(self, row: VatCheck) -> str:
        return state(row)
