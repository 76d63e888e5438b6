"""What a customer has ordered, the latest first."""

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from billing.models import Order
from storefront import standings
from storefront.owned import customer_of

PAGE_SIZE = 20


@never_cache
@login_required
@require_safe
def orders(request: HttpRequest) -> HttpResponse:
    """List the orders with what was ordered and what became of it; a constant number of queries."""
    mine = Order.objects.filter(customer=customer_of(request)).order_by("-id")
    shown = mine.select_related("invoice").prefetch_related("lines")
    page = Paginator(shown, PAGE_SIZE).get_page(request.GET.get("page"))
    rows = [(each, standings.of_order(each)) for each in page]
    return render(request, "storefront/account/orders.html", {"page": page, "rows": rows})
