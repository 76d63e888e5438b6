"""The way back from a customer's pages to the desk."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from billing import viewing
from packages import clock
from storefront.viewing import KEY, viewing_of


@require_POST
def viewing_end(request: HttpRequest) -> HttpResponse:
    """Stop seeing the shop as a customer; for anybody else this is the way home."""
    chosen = viewing_of(request)
    if chosen is None:
        return redirect("storefront:home")
    del request.session[KEY]
    viewing.end(chosen.customer, at=clock.now(), actor=f"staff:{chosen.staff.pk}")
    return redirect("admin:billing_customer_change", chosen.customer.pk)
