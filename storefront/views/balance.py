"""The customer's balance with us: what is on it, and where each cent came from and went."""

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from billing import balance_charts, balances
from billing.models import Customer, LedgerAccount
from packages import clock
from storefront import reasons
from storefront.owned import customer_of

PAGE_SIZE = 20


@never_cache
@login_required
@require_safe
def balance(request: HttpRequest) -> HttpResponse:
    """Show each currency's balance with its chart and its history, the latest first."""
    customer = customer_of(request)
    currencies = _currencies(customer) if customer else []
    asked = request.GET.get("currency", "")
    currency = asked if asked in currencies else next(iter(currencies), "")
    context: dict[str, object] = {"currency": currency, "others": currencies}
    if customer is not None and currency:
        lines = balances.history(customer, currency)
        context["amount"] = balances.of(customer, currency)
        context["chart"] = balance_charts.steps(lines, at=clock.now())
        context["reasons"] = reasons.of_balance(lines) if lines else []
        context["page"] = Paginator(lines, PAGE_SIZE).get_page(request.GET.get("page"))
    return render(request, "storefront/account/balance.html", context)


def _currencies(customer: Customer) -> list[str]:
    books = LedgerAccount.objects.filter(customer=customer, kind=balances.KIND)
    return list(books.order_by("currency").values_list("currency", flat=True))
