"""Mail that came in: what became of it, and the original where it could not be read."""

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing.models import InboundMail
from packages.desk.cells import link, state
from packages.desk.pages import ReadOnlyPage


@admin.register(InboundMail)
class InboundMailPage(ReadOnlyPage):
    list_display = ("subject", "status", "sender", "ticket_link", "received_at")
    list_filter = ("state", "received_at")
    search_fields = ("subject", "sender")
    list_select_related = ("message__ticket",)
    readonly_fields = ("status", "ticket_link", "original")
    fieldsets = (
        (None, {"fields": ("subject", "status", "sender", "received_at")}),
        (gettext_lazy("What became of it"), {"fields": ("ticket_link", "original")}),
    )

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.original_view)
        name = "billing_inboundmail_original"
        return [path("<int:pk>/original/", view, name=name), *super().get_urls()]

    def original_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Download a mail as it came."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        row = get_object_or_404(InboundMail, pk=pk)
        headers = {"Content-Disposition": f'attachment; filename="mail-{row.pk}.eml"'}
        return HttpResponse(bytes(row.raw), content_type="message/rfc822", headers=headers)

    @admin.display(description=gettext_lazy("state"), ordering="state")
    def status(self, row: InboundMail) -> str:
        return state(row)

    @admin.display(description=gettext_lazy("support request"))
    def ticket_link(self, row: InboundMail) -> str:
        return link(row.message and row.message.ticket)

    @admin.display(description=gettext_lazy("original"))
    def original(self, row: InboundMail) -> str:
        if not row.raw:
            return _("not kept: all of it is in the support request")
        address = reverse("admin:billing_inboundmail_original", args=[row.pk])
        return format_html('<a href="{}">{}</a>', address, _("download"))
