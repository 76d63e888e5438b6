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
from packages.money import Money, total
from storefront import standings
from storefront.owned import customer_of
from storefront.standings import Standing

PAGE_SIZE = 20


@dataclass(frozen=True, slots=True)
class Use:
    """What a payment was for: an invoice, or the balance with us. `amount` is its part of the
    payment, None where that is the whole or not decided yet.
    """

    invoice: Invoice | None
    amount: Money | None


@dataclass(frozen=True, slots=True)
class Row:
    """A payment as the list shows it: how, what for, where it stands, what went back of it."""

    payment: Payment
    how: str
    uses: list[Use]
    standing: Standing
    refunds: list[Refund]


@never_cache
@login_required
@require_safe
def payments(request: HttpRequest) -> HttpResponse:
    """List the payments but for those that were given up; a constant number of queries."""
    mine = Payment.objects.filter(customer=customer_of(request))
    shown = mine.exclude(state=Payment.State.CANCELLED).order_by("-id")
    whole = shown.select_related("invoice", "method").prefetch_related(
        "parts__invoice", "allocations", went_back()
    )
    page = Paginator(whole, PAGE_SIZE).get_page(request.GET.get("page"))
    names = {each.code: each.name for each in gateways.configured()}
    rows = [_row(each, names) for each in page]
    return render(request, "storefront/account/payments.html", {"page": page, "rows": rows})


def went_back() -> "Prefetch[str]":
    """Let each payment have in `shown_refunds` what went back of it, or is on its way."""
    rows = Refund.objects.exclude(state=Refund.State.FAILED).exclude(way=Refund.Way.UNDONE)
    return Prefetch("refunds", rows.order_by("id"), to_attr="shown_refunds")


def _row(payment: Payment, names: dict[str, str]) -> Row:
    return Row(
        payment,
        str(payment.method or names.get(payment.gateway, payment.gateway)),
        _uses(payment),
        standings.of_payment(payment),
        vars(payment)["shown_refunds"],
    )


def _uses(payment: Payment) -> list[Use]:
    """Share a payment over its invoices as it was allocated; the rest is on the balance."""
    invoices = [payment.invoice, *(part.invoice for part in payment.parts.all())]
    currency = payment.currency
    parts = {x.invoice_id: Money(x.amount_minor, currency) for x in payment.allocations.all()}
    undecided = payment.state != Payment.State.SUCCEEDED
    if undecided or parts == {payment.invoice_id: payment.amount}:
        return [Use(each, None) for each in invoices]
    uses = [Use(each, parts.get(each.pk)) for each in invoices]
    rest = payment.amount - total(parts.values(), currency)
    return [*uses, Use(None, rest)] if rest else uses
