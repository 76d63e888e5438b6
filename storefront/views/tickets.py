"""Support requests of the customer one acts for: ask, read, reply, close."""

import uuid

from allauth.core import ratelimit
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from billing import ticket_files
from billing import tickets as flow
from billing.models import Ticket
from packages import clock
from storefront import standings
from storefront.owned import (
    customer_of,
    own_customer,
    owned_ticket,
    owned_ticket_file,
    owned_tickets,
    user_of,
)
from storefront.ticket_forms import ReplyForm, TicketForm

PAGE_SIZE = 20


@never_cache
@login_required
@require_safe
def tickets(request: HttpRequest) -> HttpResponse:
    shown = owned_tickets(request).order_by("-changed_at", "-id")
    page = Paginator(shown, PAGE_SIZE).get_page(request.GET.get("page"))
    rows = [(each, standings.of_ticket(each)) for each in page]
    customer = customer_of(request)
    context = {"page": page, "rows": rows, "customer": customer}
    return render(request, "storefront/account/tickets.html", context)


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def ticket_new(request: HttpRequest) -> HttpResponse:
    """Ask staff something."""
    user = user_of(request)
    customer = own_customer(request)
    form = TicketForm(request.POST or None, request.FILES or None)
    if not form.is_valid():
        status = 422 if form.errors else 200
        page = {"form": form}
        return render(request, "storefront/account/ticket_new.html", page, status=status)
    # Each message is a mail to staff.
    if not ratelimit.consume(request, action="ticket", user=user):
        return render(request, "429.html", status=429)
    row = flow.ask(
        form.said(),
        subject=form.cleaned_data["subject"],
        customer=customer,
        user=user,
        email=user.email,
        language=request.LANGUAGE_CODE.split("-")[0],
        at=clock.now(),
    )
    messages.success(request, _("We have your request and answer by e-mail and here."))
    return redirect("storefront:ticket", row.public_id)


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def ticket(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    """Show what was said; a POST replies."""
    row, user = owned_ticket(request, public_id), user_of(request)
    form = ReplyForm(request.POST or None, request.FILES or None)
    if not form.is_valid():
        return _page(request, row, form)
    if not ratelimit.consume(request, action="ticket", user=user):
        return render(request, "429.html", status=429)
    flow.reply(row, form.said(), user=user, at=clock.now())
    messages.success(request, _("Your reply is with us."))
    return redirect("storefront:ticket", row.public_id)


@login_required
@require_POST
def ticket_close(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    row, actor = owned_ticket(request, public_id), f"user:{user_of(request).pk}"
    flow.close(row, reason="by the customer", at=clock.now(), actor=actor)
    messages.success(request, _("The request is closed. Write again, and it is open again."))
    return redirect("storefront:ticket", row.public_id)


@login_required
@require_safe
def ticket_file(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    """Download a file of an own request."""
    return ticket_files.download(owned_ticket_file(request, public_id))


def _page(request: HttpRequest, row: Ticket, form: ReplyForm) -> HttpResponse:
    said = row.messages.select_related("author").prefetch_related(ticket_files.without_content())
    context = {
        "ticket": row,
        "standing": standings.of_ticket(row),
        "said": list(said),
        "form": form,
    }
    status = 422 if form.errors else 200
    return render(request, "storefront/account/ticket.html", context, status=status)
