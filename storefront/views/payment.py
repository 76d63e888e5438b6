"""Paying, coming back from the gateway, and the page that follows an order until it runs."""

import uuid
from collections.abc import Sequence
from datetime import datetime

import structlog
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from billing import charges, emails, gateways, payment_checks, payments
from billing.gateways import failures
from billing.gateways.base import Declined, GatewayRefused, Unavailable
from billing.models import Invoice, Payment, paying
from packages import clock
from storefront import reasons
from storefront.consents import agreed_to_keep
from storefront.owned import (
    owned_invoice,
    owned_invoices,
    owned_order,
    owned_payment,
    user_of,
)
from storefront.progress import progress_of

log = structlog.get_logger()


class SeeOther(HttpResponseRedirect):
    """303: whatever was posted, go on with a GET; a reload never posts again."""

    status_code = 303


@never_cache
@login_required
@require_safe
def order(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    progress = progress_of(owned_order(request, public_id))
    context = {"progress": progress, "reasons": reasons.of_order(progress.invoice)}
    return render(request, "storefront/order.html", context)


@never_cache
@login_required
@require_safe
def order_status(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    """Answer the order page's question whether anything changed: 204, or the part that did."""
    progress = progress_of(owned_order(request, public_id))
    if request.GET.get("stage") == progress.stage:
        return HttpResponse(status=204)
    return render(request, "storefront/_order_progress.html", {"progress": progress})


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def pay(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    """POST begins to pay an own invoice. The gateway's page sends the customer back here by GET."""
    invoice = owned_invoice(request, public_id)
    if request.method == "POST":
        if "method" in request.POST:
            return _charge(request, invoice, request.POST["method"], at=clock.now())
        return begin(request, invoice, request.POST.get("gateway", ""), at=clock.now())
    latest = Payment.objects.filter(paying(invoice)).order_by("-id").first()
    if latest is None:
        return page_of(invoice)
    return redirect("storefront:payment", latest.public_id)


@never_cache
@login_required
@require_safe
def payment(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    """Ask the gateway once and go on to the page that tells what is known."""
    paid = owned_payment(request, public_id)
    if paid.state in Payment.OPEN:
        actor = f"user:{user_of(request).pk}"
        payment_checks.check(paid, at=clock.now(), actor=actor, came_back=True)
    if paid.parts.exists():
        return _told_together(request, paid)
    return page_of(paid.invoice)


@login_required
@require_POST
def pay_together(request: HttpRequest) -> HttpResponse:
    """Pay the ticked own invoices by one payment, on a gateway's page or with a saved method."""
    rows = owned_invoices(request, request.POST.getlist("invoice"))
    if not rows:
        messages.error(request, _("Please tick at least one invoice. No money was taken."))
        return SeeOther(reverse("storefront:invoices"))
    first, *others = rows
    way, at = request.POST.get("way", ""), clock.now()
    if way.startswith("method:"):
        return _charge(request, first, way.removeprefix("method:"), at=at, also=others)
    return begin(request, first, way.removeprefix("gateway:"), at=at, also=others)


def _told_together(request: HttpRequest, paid: Payment) -> HttpResponse:
    """Say on the list of invoices what became of a payment for several of them."""
    paid = Payment.objects.get(pk=paid.pk)
    numbers = ", ".join(str(each.number) for each in paid.invoices)
    if paid.state == Payment.State.SUCCEEDED:
        messages.success(request, _("Paid: %(numbers)s. Thank you.") % {"numbers": numbers})
    elif paid.state == Payment.State.PROCESSING:
        words = {"numbers": numbers}
        messages.info(request, _("Your payment of %(numbers)s is being confirmed.") % words)
    elif paid.failure_code in failures.MESSAGES:
        messages.error(request, str(failures.MESSAGES[paid.failure_code]))
    return SeeOther(reverse("storefront:invoices"))


def begin(
    request: HttpRequest,
    invoice: Invoice,
    gateway_code: str,
    *,
    at: datetime,
    also: Sequence[Invoice] = (),
) -> HttpResponse:
    """Start a payment and answer with the way to the gateway's page, or to the order's own page."""
    if gateway_code not in {each.code for each in gateways.offered(invoice.currency)}:
        messages.error(request, _("Please choose a payment method. No money was taken."))
        return page_of(invoice)
    back = emails.link("storefront:pay", invoice.public_id)
    actor = f"user:{user_of(request).pk}"
    try:
        started = payments.start(
            invoice,
            gateway_code,
            return_url=back,
            at=at,
            actor=actor,
            consent=agreed_to_keep(request, at=at),
            also=also,
        )
    except payments.NotPayable:
        messages.info(request, _("This is paid already, or the payment is being confirmed."))
    except Declined as error:
        messages.error(request, error.message)
    except Unavailable:
        text = _("The payment provider does not answer right now. We keep asking; nothing is lost.")
        messages.warning(request, text)
    except GatewayRefused as error:
        log.error("payment.refused", invoice=invoice.pk, gateway=gateway_code, error=str(error))
        text = _("This payment method does not work right now. No money was taken.")
        messages.error(request, text)
    else:
        if started.redirect_url:
            return SeeOther(started.redirect_url)
    return page_of(invoice)


def _charge(
    request: HttpRequest,
    invoice: Invoice,
    method_id: str,
    *,
    at: datetime,
    also: Sequence[Invoice] = (),
) -> HttpResponse:
    """Charge an own saved method, and go to the bank's page where the customer must confirm it."""
    method = get_object_or_404(invoice.customer.methods, public_id=_uuid(method_id))
    actor = f"user:{user_of(request).pk}"
    try:
        charged = charges.charge(invoice, method, at=at, actor=actor, also=also)
    except payments.NotPayable:
        messages.info(request, _("This is paid already, or the payment is being confirmed."))
        return page_of(invoice)
    except payments.MethodGone:
        messages.error(request, _("This method can no longer be charged. Please choose another."))
        return page_of(invoice)
    if charged.failure_code == "authentication_required":
        return begin(request, invoice, method.gateway, at=at, also=also)
    if charged.state == Payment.State.FAILED:
        messages.error(request, failures.message(charged.failure_code) or "")
    elif charged.state == Payment.State.SUCCEEDED:
        messages.success(request, _("Paid with %(method)s. Thank you.") % {"method": method})
    return page_of(invoice)


def _uuid(text: str) -> uuid.UUID:
    try:
        return uuid.UUID(text)
    except ValueError:
        raise Http404 from None


def page_of(invoice: Invoice) -> HttpResponse:
    """Go to the page that follows the invoice's order, or to the invoice where there is none."""
    if invoice.order is not None:
        return SeeOther(reverse("storefront:order", args=[invoice.order.public_id]))
    return SeeOther(reverse("storefront:invoice", args=[invoice.public_id]))
