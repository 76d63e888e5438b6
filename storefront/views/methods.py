"""Saved payment methods: which there are, which one is charged, and whether that happens at all."""

import uuid

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from billing import methods as flow
from billing.models import Invoice, PaymentMethod, current_brand
from packages import clock
from packages.periods import business_day
from storefront.owned import customer_of, owned_method, user_of


@never_cache
@login_required
@require_safe
def methods(request: HttpRequest) -> HttpResponse:
    customer = customer_of(user_of(request))
    shown = PaymentMethod.objects.filter(customer=customer).exclude(
        state=PaymentMethod.State.REMOVED
    )
    unpaid = Invoice.objects.filter(customer=customer, state=Invoice.State.OPEN)
    context = {
        "customer": customer,
        "methods": list(shown),
        "default": flow.default_of(customer) if customer else None,
        "today": business_day(clock.now(), current_brand().zone),
        "unpaid": unpaid.order_by("due_on").first(),
    }
    return render(request, "storefront/account/methods.html", context)


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
    customer = get_object_or_404(user_of(request).customers.order_by("id")[:1])
    on = request.POST.get("on") == "yes"
    flow.switch(customer, on, at=clock.now(), actor=_actor(request))
    if on:
        messages.success(request, _("Automatic payment is on."))
    else:
        messages.success(request, _("Automatic payment is off. Please pay each invoice yourself."))
    return redirect("storefront:methods")


def _actor(request: HttpRequest) -> str:
    return f"user:{user_of(request).pk}"
