"""The outbox. Texts are shown with their placeholder; what is sealed is never opened here."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing import desk, mail_kinds
from billing.models import Mail
from packages.desk import causes
from packages.desk.cells import language, link, state
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
        wrong = [(_("What went wrong"), row.last_error)] if row.last_error else []
        return [
            (_("Subject"), row.subject),
            (_("To"), row.recipient),
            (_("State"), state(row)),
            *wrong,
        ]

    def carry_out(self, row: Mail, given: dict[str, Any], *, at: datetime, actor: str) -> Text:
        desk.send_again(row, at=at, actor=actor)
        return _("The mail waits to be sent.")


class KindFilter(admin.SimpleListFilter):
    """Mails of one kind, by its name; only kinds of which there are any."""

    title = gettext_lazy("kind")
    parameter_name = "template"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, Any]]:
        codes = Mail.objects.order_by().values_list("template", flat=True).distinct()
        return sorted(((code, _named(code)) for code in codes), key=lambda each: each[1])

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(template=self.value()) if self.value() else queryset


@admin.register(Mail)
class MailPage(ReadOnlyPage):
    deeds = (SendAgain(),)
    list_display = ("subject", "status", "recipient", "customer_link", "created_at")
    spare = ("customer_link",)
    list_filter = ("state", KindFilter, "created_at")
    search_fields = ("subject", "recipient", "cause")
    list_select_related = ("customer",)
    readonly_fields = ("status", "customer_link", "body", "sealed_part") + (
        "kind",
        "caused",
        "written_in",
    )
    fieldsets = (
        (None, {"fields": ("status", "last_error", "recipient", "sender", "customer_link")}),
        (gettext_lazy("Text"), {"fields": ("subject", "body", "sealed_part")}),
        (gettext_lazy("Why"), {"fields": (("kind", "caused", "written_in"),)}),
        (gettext_lazy("When"), {"fields": (("created_at", "sent_at", "attempts"),)}),
    )

    @admin.display(description=gettext_lazy("state"), ordering="state")
    def status(self, row: Mail) -> str:
        return state(row)

    @admin.display(description=gettext_lazy("kind"), ordering="template")
    def kind(self, row: Mail) -> str:
        return _named(row.template)

    @admin.display(description=gettext_lazy("cause"))
    def caused(self, row: Mail) -> str:
        return causes.told([row.cause])[row.cause]

    @admin.display(description=gettext_lazy("language"))
    def written_in(self, row: Mail) -> str:
        return language(row.language)

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


def _named(template: str) -> str:
    return capfirst(str(mail_kinds.named(template)))
