"""Support requests at the desk: read, answer, close, and find out whose one is."""

import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing import ticket_files, tickets
from billing.models import Customer, Ticket, TicketFile, TicketMessage, User
from packages.desk.cells import link, moment, state
from packages.desk.deeds import Deed, DeedForm, ReasonForm, Text
from packages.desk.filters import KeptFilter
from packages.desk.pages import ReadOnlyPage

LONGEST_NUMBER = 18


class AnswerForm(DeedForm):
    key = forms.UUIDField(widget=forms.HiddenInput, initial=uuid.uuid4)
    text = forms.CharField(
        label=gettext_lazy("Answer"), max_length=10_000, widget=forms.Textarea(attrs={"rows": 8})
    )


class CustomerForm(DeedForm):
    customer = forms.CharField(
        label=gettext_lazy("E-mail address or number of the customer"),
        max_length=254,
        widget=forms.TextInput(attrs={"size": 32}),
        help_text=gettext_lazy("Both stand on the customer's page; a user's address will do."),
    )

    def clean_customer(self) -> Customer:
        given = self.cleaned_data["customer"].strip()
        known = Q(email__iexact=given) | Q(memberships__user__email__iexact=given)
        if given.isdecimal() and len(given) < LONGEST_NUMBER:
            known = Q(pk=int(given))
        found = list(Customer.objects.filter(known).distinct()[:2])
        if not found:
            raise forms.ValidationError(_("There is no such customer."))
        if len(found) > 1:
            raise forms.ValidationError(_("Several customers have this address. Use a number."))
        return found[0]


class Answer(Deed):
    code = "answer"
    label = gettext_lazy("Answer…")
    form = AnswerForm

    def offered(self, row: Ticket) -> bool:
        return bool(row.email or row.customer)

    def effects(self, row: Ticket) -> Sequence[Text]:
        mailed = _("The answer is mailed as you write it.")
        shown = _("The answer is mailed as you write it, and shown in the client area.")
        return [
            shown if row.customer_id else mailed,
            _("The request counts as answered until the customer writes again."),
        ]

    def facts(self, row: Ticket) -> Sequence[tuple[Text, Any]]:
        latest = row.messages.last()
        return [
            (_("Customer"), link(row.customer)),
            (_("To"), row.answers_to),
            (_("Subject"), row.subject),
            (_("Last message"), latest and latest.text),
        ]

    def carry_out(self, row: Ticket, given: dict[str, Any], *, at: datetime, actor: str) -> Text:
        said = tickets.Said(given["text"], key=given["key"])
        user = User.objects.get(pk=actor.removeprefix("staff:"))
        tickets.answer(row, said, user=user, at=at)
        return _("Your answer is on its way.")


class Close(Deed):
    code = "close"
    label = gettext_lazy("Close the request…")
    form = ReasonForm

    def offered(self, row: Ticket) -> bool:
        return row.state != Ticket.State.CLOSED

    def effects(self, row: Ticket) -> Sequence[Text]:
        return [_("Nothing is mailed. If the customer writes again, the request is open again.")]

    def facts(self, row: Ticket) -> Sequence[tuple[Text, Any]]:
        whose = link(row.customer) if row.customer else row.email
        return [
            (_("Subject"), row.subject),
            (_("From"), whose),
            (_("State"), state(row)),
            (_("Last message"), moment(row.changed_at)),
        ]

    def carry_out(self, row: Ticket, given: dict[str, Any], *, at: datetime, actor: str) -> Text:
        tickets.close(row, reason=given["reason"], at=at, actor=actor)
        return _("The request is closed.")


class Assign(Deed):
    code = "customer"
    label = gettext_lazy("Give to a customer…")
    form = CustomerForm

    def offered(self, row: Ticket) -> bool:
        return row.customer is None

    def effects(self, row: Ticket) -> Sequence[Text]:
        return [
            _("Whoever acts for that customer reads the request, and replies to it."),
            _("A sender's address can be forged: be sure whose request this is."),
        ]

    def facts(self, row: Ticket) -> Sequence[tuple[Text, Any]]:
        return [(_("From"), row.email), (_("Subject"), row.subject)]

    def carry_out(self, row: Ticket, given: dict[str, Any], *, at: datetime, actor: str) -> Text:
        tickets.assign(row, given["customer"], at=at, actor=actor)
        return _("The request belongs to %(customer)s.") % {"customer": given["customer"]}


class WhoseFilter(KeptFilter):
    empty, kept = gettext_lazy("nobody knows whose"), gettext_lazy("a customer's")


@admin.register(Ticket)
class TicketPage(ReadOnlyPage):
    deeds = (Answer(), Close(), Assign())
    list_display = ("subject", "status", "customer_link", "email", "changed_at")
    spare = ("email",)
    list_filter = ("state", ("customer", WhoseFilter), "changed_at")
    search_fields = ("subject", "email", "messages__text", "customer__name", "customer__company")
    list_select_related = ("customer",)
    readonly_fields = ("status", "customer_link", "thread")
    fieldsets = (
        (None, {"fields": ("subject", "status", "customer_link", "email", "opened_at")}),
        (gettext_lazy("What was said"), {"fields": ("thread",)}),
    )

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.file_view)
        return [path("files/<int:pk>/", view, name="billing_ticket_file"), *super().get_urls()]

    def file_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Download a file that came with a message."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        return ticket_files.download(get_object_or_404(TicketFile, pk=pk))

    @admin.display(description=gettext_lazy("state"), ordering="state")
    def status(self, row: Ticket) -> str:
        return state(row)

    @admin.display(description=gettext_lazy("customer"))
    def customer_link(self, row: Ticket) -> str:
        return link(row.customer)

    @admin.display(description=gettext_lazy("messages"))
    def thread(self, row: Ticket) -> str:
        said = row.messages.select_related("author")
        parts = (_told(each) for each in said.prefetch_related(ticket_files.without_content()))
        return format_html_join("", "{}", ((part,) for part in parts))


def _told(message: TicketMessage) -> SafeString:
    links = format_html_join(
        "",
        '<p><a href="{}">{}</a></p>',
        (
            (reverse("admin:billing_ticket_file", args=[each.pk]), each.name)
            for each in message.files.all()
        ),
    )
    unknown = message.side == TicketMessage.Side.CUSTOMER and message.ticket.customer is None
    who = message.author or (message.ticket.email if unknown else message.get_side_display())
    when = date_format(localtime(message.written_at), "DATETIME_FORMAT")
    text = '<p><strong>{}</strong> · {}</p><pre class="desk-said">{}</pre>{}'
    return format_html(text, who, when, message.text, links)
