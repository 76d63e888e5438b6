"""The outbox. Texts are shown with their placeholder; what is sealed is never opened here."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.contrib import admin
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing import desk
from billing.models import Mail
from packages.desk.cells import link, state
from packages.desk.deeds import Deed, Text
from packages.desk.pages import ReadOnlyPage


class SendAgain(Deed):
    code = "send"
    label = gettext_lazy("Send again")
    many = True

    def offered(self, row: Mail) -> bool:
        return row.state in (Mail.State.FAILED, Mail.State.UNKNOWN)

    def effects(self, row: Mail) -> Sequence[Text]:
        first = _("The mail goes to %(to)s once more, as it was written.") % {"to": row.recipient}
        if row.state == Mail.State.UNKNOWN:
            return [first, _("It may have arrived before; then it arrives twice.")]
        return [first]

    def facts(self, row: Mail) -> Sequence[tuple[Text, Any]]:
        return [(_("Subject"), row.subject), (_("What went wrong"), row.last_error)]

    def carry_out(self, row: Mail, given: dict[str, Any], *, at: datetime, actor: str) -> Text:
        desk.send_again(row, at=at, actor=actor)
        return _("The mail waits to be sent.")


@admin.register(Mail)
class MailPage(ReadOnlyPage):
    deeds = (SendAgain(),)
    list_display = ("subject", "status", "recipient", "customer_link", "template", "created_at")
    list_filter = ("state", "template", "language", "created_at")
    search_fields = ("subject", "recipient", "cause")
    list_select_related = ("customer",)
    readonly_fields = ("status", "customer_link", "body", "sealed_part")
    fieldsets = (
        (None, {"fields": ("status", "last_error", "recipient", "sender", "customer_link")}),
        (gettext_lazy("Text"), {"fields": ("subject", "body", "sealed_part")}),
        (gettext_lazy("Why"), {"fields": (("template", "cause", "language"),)}),
        (gettext_lazy("When"), {"fields": (("created_at", "sent_at", "attempts"),)}),
    )

    @admin.display(description=gettext_lazy("state"), ordering="state")
    def status(self, row: Mail) -> str:
        return state(row)

    @admin.display(description=gettext_lazy("customer"))
    def customer_link(self, row: Mail) -> str:
        return link(row.customer)

    @admin.display(description=gettext_lazy("text"))
    def body(self, row: Mail) -> str:
        return format_html('<pre class="desk-code">{}</pre>', row.text)

    @admin.display(description=gettext_lazy("secret"))
    def sealed_part(self, row: Mail) -> str:
        if row.sealed is None:
            return _("none, or destroyed after sending")
        return _("sealed; put in while sending, never shown")
