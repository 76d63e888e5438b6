"""Saved payment methods: which there are, which one is charged, and whether that happens at all."""

import uuid

import structlog
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from billing import emails, gateways, setups
from billing import methods as flow
from billing.gateways.base import Gateway, GatewayRefused, Unavailable, Wallet
from billing.models import Customer, Invoice, MethodSetup, PaymentMethod, current_brand
from packages import clock
from packages.periods import business_day
from storefront.consents import agreed_to_keep, to_keep
from storefront.owned import customer_of, own_customer, owned_method, user_of
from storefront.views.payment import SeeOther

log = structlog.get_logger()


@never_cache
@login_required
@require_safe
def methods(request: HttpRequest) -> HttpResponse:
    customer = customer_of(request)
    theirs = PaymentMethod.objects.filter(customer=customer)
    shown = list(theirs.exclude(state=PaymentMethod.State.REMOVED))
    on = business_day(clock.now(), current_brand().zone)
    for each in shown:
        vars(each)["lapsed"] = each.is_expired(on)
    unpaid = Invoice.objects.filter(customer=customer, state=Invoice.State.OPEN)
    context = {
        "customer": customer,
        "methods": shown,
        "default": flow.default_of(customer) if customer else None,
        "unpaid": unpaid.order_by("due_on").first(),
        "wallets": wallets() if customer else [],
        "to_keep": to_keep(current_brand()),
    }
    return render(request, "storefront/account/methods.html", context)


@login_required
@require_POST
def method_new(request: HttpRequest) -> HttpResponse:
    """Go to the gateway's page and keep a method there; nothing is charged."""
    customer = own_customer(request)
    at = clock.now()
    consent = agreed_to_keep(request, at=at)
    code = request.POST.get("gateway", "")
    if not consent or code not in {each.code for each in wallets()}:
        messages.error(request, _("Please agree that we may keep the method. Nothing was saved."))
        return redirect("storefront:methods")
    try:
        setup = setups.start(
            customer,
            code,
            currency=currency_of(customer),
            consent=consent,
            language=request.LANGUAGE_CODE.split("-")[0],
            return_url=emails.link("storefront:method_back"),
            at=at,
            actor=_actor(request),
        )
    except (Unavailable, GatewayRefused) as error:
        log.warning("setup.not_begun", gateway=code, error=str(error))
        text = _("The payment provider does not answer right now. Please try again later.")
        messages.warning(request, text)
        return redirect("storefront:methods")
    return SeeOther(setup.redirect_url)


@never_cache
@login_required
@require_safe
def method_back(request: HttpRequest) -> HttpResponse:
    """Come back from the gateway's page: ask once what became of the visit."""
    visits = MethodSetup.objects.filter(customer__users=user_of(request)).order_by("-id")
    setup = visits.first()
    if setup is not None and setup.state == MethodSetup.State.CREATED:
        # Soon: until the next sweep the page has only this answer.
        setups.check_due(setup, at=clock.now(), actor=_actor(request))
        setup.refresh_from_db()
        if setup.state == MethodSetup.State.SUCCEEDED:
            messages.success(request, _("Saved. It can be charged from now on."))
        else:
            messages.info(request, _("Nothing was saved yet."))
    return redirect("storefront:methods")


@login_required
@require_POST
def method_default(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    """Charge an own method from now on."""
    method = owned_method(request, public_id)
    try:
        flow.make_default(method, at=clock.now(), actor=_actor(request))
    except flow.NotUsable:
        messages.error(request, _("This method can no longer be charged. Please choose another."))
    else:
        words = {"method": method}
        messages.success(request, _("From now on we charge %(method)s.") % words)
    return redirect("storefront:methods")


@login_required
@require_POST
def method_remove(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    """Remove an own method; a charge that is on its way still counts."""
    method = owned_method(request, public_id)
    flow.remove(method, reason="by the customer", at=clock.now(), actor=_actor(request))
    words = {"method": method}
    messages.success(request, _("%(method)s is removed and will not be charged again.") % words)
    return redirect("storefront:methods")


@login_required
@require_POST
def automatic(request: HttpRequest) -> HttpResponse:
    """Turn automatic payment on or off for the customer one buys for."""
    customer = own_customer(request)
    on = request.POST.get("on") == "yes"
    flow.switch(customer, on, at=clock.now(), actor=_actor(request))
    if on:
        messages.success(request, _("Automatic payment is on."))
    else:
        messages.success(request, _("Automatic payment is off. Please pay each invoice yourself."))
    return redirect("storefront:methods")


def wallets() -> list[Gateway]:
    """The gateways at which a method can be kept without paying."""
    return [each for each in gateways.offered() if isinstance(each, Wallet)]


def currency_of(customer: Customer) -> str:
    """The currency that the customer pays in; it says which methods make sense."""
    latest = Invoice.objects.filter(customer=customer).order_by("-id").first()
    return latest.currency if latest else current_brand().currency_list[0]


def _actor(request: HttpRequest) -> str:
    return f"user:{user_of(request).pk}"
