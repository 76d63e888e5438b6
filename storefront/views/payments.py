"""What a customer has paid, with what became of it, the latest first."""

from dataclasses import dataclass

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import Prefetch
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from billing import gateways
from billing.models import Invoice, Payment, Refund
from storefront import standings
from storefront.owned import customer_of
from storefront.standings import Standing

PAGE_SIZE = 20


@dataclass(frozen=True, slots=True)
class Row:
    """A payment as the list shows it: how, what for, where it stands, what went back of it."""

    payment: Payment
    how: str
    invoices: list[Invoice]
    standing: Standing
    refunds: list[Refund]


@never_cache
@login_required
@require_safe
def payments(request: HttpRequest) -> HttpResponse:
    """List the payments but for those that were given up; a constant number of queries."""
    mine = Payment.objects.filter(customer=customer_of(request))
    shown = mine.exclude(state=Payment.State.CANCELLED).order_by("-id")
    went_back = Refund.objects.exclude(state=Refund.State.FAILED).exclude(way=Refund.Way.UNDONE)
    whole = shown.select_related("invoice", "method").prefetch_related(
        "parts__invoice", Prefetch("refunds", went_back.order_by("id"))
    )
    page = Paginator(whole, PAGE_SIZE).get_page(request.GET.get("page"))
    names = {each.code: each.name for each in gateways.configured()}
    rows = [_row(each, names) for each in page]
    return render(request, "storefront/account/payments.html", {"page": page, "rows": rows})


def _row(payment: Payment, names: dict[str, str]) -> Row:
    return Row(
        payment,
        str(payment.method or names.get(payment.gateway, payment.gateway)),
        [payment.invoice, *(part.invoice for part in payment.parts.all())],
        standings.of_payment(payment),
        list(payment.refunds.all()),
    )
