"""Cancel a service to the end of its paid time or at once, or take that back."""

import uuid
from collections.abc import Callable

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from billing import cancellations, endings
from billing.models import Brand, Subscription, current_brand
from packages import clock
from packages.periods import business_day
from storefront import overview, reasons
from storefront.owned import owned_subscription, user_of
from storefront.templatetags.money import day


@login_required
@require_POST
def service_cancel(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    """Cancel an own service; the page then says until when it runs."""
    held = _do(request, public_id, cancellations.cancel)
    if held is not None:
        words = {"date": day(held.ends_on)}
        messages.success(
            request,
            _("Cancelled. The service ends when %(date)s begins; until then nothing changes.")
            % words,
        )
    return redirect("storefront:service", public_id)


@login_required
@require_POST
def service_withdraw(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    """Take the cancellation of an own service back."""
    if _do(request, public_id, cancellations.withdraw) is not None:
        messages.success(request, _("The cancellation is withdrawn. The service renews as before."))
    return redirect("storefront:service", public_id)


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def service_end(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    """GET shows what ending an own service at once brings; POST ends it as it was seen.

    There is no such page unless the operator allows it.
    """
    subscription, at = owned_subscription(request, public_id), clock.now()
    brand = current_brand()
    if not endings.offered(subscription, brand):
        raise Http404
    gives_back = brand.cancel_now == Brand.CancelNow.CREDIT
    changed = False
    try:
        on = business_day(at, subscription.zone)
        quote = endings.quote(subscription, on=on, gives_back=gives_back)
        if request.method == "POST":
            return _end(request, quote)
    except endings.NotEndable as error:
        messages.error(request, str(error))
        return redirect("storefront:service", public_id)
    except endings.Changed:
        quote, changed = endings.quote(subscription, on=on, gives_back=gives_back), True
    page = {
        "subscription": subscription,
        "name": subscription.package.text("name"),
        "quote": quote,
        "reasons": reasons.of_end(quote),
        "changed": changed,
        "balance": overview.service_of(subscription, [], on=on).balance,
    }
    return render(request, "storefront/account/end.html", page, status=409 if changed else 200)


def _end(request: HttpRequest, quote: endings.Quote) -> HttpResponse:
    endings.end(
        quote,
        seen=request.POST.get("seen", ""),
        reason="ended at once by its owner",
        returnable=True,
        at=clock.now(),
        actor=f"user:{user_of(request).pk}",
    )
    words = {"date": day(quote.deleted_on)}
    text = _("The service has ended. Its account is deleted on %(date)s.")
    messages.success(request, text % words)
    return redirect("storefront:service", quote.subscription.public_id)


def _do(
    request: HttpRequest, public_id: uuid.UUID, flow: Callable[..., Subscription]
) -> Subscription | None:
    subscription, actor = owned_subscription(request, public_id), f"user:{user_of(request).pk}"
    try:
        return flow(subscription, at=clock.now(), actor=actor)
    except cancellations.NotCancellable:
        messages.error(request, _("There is nothing to cancel: this service does not renew."))
        return None
