"""Cancel a service to the end of its paid time, or take that back."""

import uuid
from collections.abc import Callable

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from billing import cancellations
from billing.models import Subscription
from packages import clock
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


def _do(
    request: HttpRequest, public_id: uuid.UUID, flow: Callable[..., Subscription]
) -> Subscription | None:
    subscription, actor = owned_subscription(request, public_id), f"user:{user_of(request).pk}"
    try:
        return flow(subscription, at=clock.now(), actor=actor)
    except cancellations.NotCancellable:
        messages.error(request, _("There is nothing to cancel: this service does not renew."))
        return None
