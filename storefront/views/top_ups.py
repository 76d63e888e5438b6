"""Buy credit of any amount for a service: one page from the amount to the binding order."""

import uuid
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from billing import tax, top_up_limits, top_ups
from billing.models import Brand, Subscription, TopUpTerms, User, current_brand
from packages import clock
from packages.money import Money
from packages.periods import business_day
from storefront import reasons, refusals
from storefront.consents import agreed, sentences
from storefront.owned import owned_subscription, user_of
from storefront.top_up_forms import AmountForm, TopUpForm
from storefront.views.payment import begin, page_of


@dataclass(frozen=True, slots=True)
class Visit:
    """What one request works with."""

    request: HttpRequest
    user: User
    subscription: Subscription
    terms: TopUpTerms
    brand: Brand
    on: date
    at: datetime

    @property
    def language(self) -> str:
        return self.request.LANGUAGE_CODE.split("-")[0]

    @property
    def private(self) -> bool:
        return not self.subscription.customer.is_business

    def form(self, data: Any) -> TopUpForm:
        return TopUpForm(data, self.terms, consents=sentences(self.brand), private=self.private)

    def quote(self, amount: Money) -> top_ups.Quote:
        wish = top_ups.Wish(self.subscription, amount)
        return top_ups.quote(wish, self.brand, language=self.language, on=self.on)


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def top_up(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    """GET shows the page, with `amount` its price; POST with `action=order` orders."""
    subscription = owned_subscription(request, public_id)
    terms = top_ups.terms_of(subscription)
    if terms is None:
        messages.error(request, _("This service cannot be topped up just now."))
        return redirect("storefront:service", public_id)
    at, brand = clock.now(), current_brand()
    on = business_day(at, brand.zone)
    visit = Visit(request, user_of(request), subscription, terms, brand, on, at)
    if request.method == "POST" and request.POST.get("action") == "order":
        return _order(visit)
    return _price(visit, request.POST if request.method == "POST" else request.GET)


def _price(visit: Visit, data: Any) -> HttpResponse:
    """Show what an amount costs; nothing that was typed besides it is complained about yet."""
    if "amount" not in data:
        return _show(visit, visit.form(None), AmountForm(None, visit.terms))
    asked = AmountForm(data, visit.terms)
    if not asked.is_valid():
        return _show(visit, visit.form(None), asked, status=422)
    return _show(visit, visit.form(None), asked, amount=asked.cleaned_data["amount"])


def _order(visit: Visit) -> HttpResponse:
    form, asked = visit.form(visit.request.POST), AmountForm(visit.request.POST, visit.terms)
    asked.is_valid()
    amount = asked.cleaned_data.get("amount")
    if not form.is_valid():
        return _show(visit, form, asked, amount=amount, status=422)
    wish = top_ups.Wish(visit.subscription, form.cleaned_data["amount"])
    ticked = {**form.cleaned_data, "terms": form.cleaned_data["terms_agreed"]}
    try:
        order = top_ups.order(
            wish,
            visit.brand,
            key=form.cleaned_data["key"],
            placed_by=visit.user,
            language=visit.language,
            consents=agreed(ticked, visit.brand, at=visit.at),
            seen=visit.request.POST.get("seen", ""),
            on=visit.on,
            at=visit.at,
            actor=f"user:{visit.user.pk}",
        )
    except top_up_limits.Refused as refused:
        messages.error(visit.request, refusals.words(refused, visit.brand))
        return _show(visit, form, asked, amount=amount, status=409)
    except (top_ups.Changed, top_ups.OutOfRange, tax.NoRate):
        return _show(visit, form, asked, amount=amount, changed=True, status=409)
    except top_ups.NotForSale:
        messages.error(visit.request, _("This service cannot be topped up just now."))
        return redirect("storefront:service", visit.subscription.public_id)
    if not order.invoice.due:
        return page_of(order.invoice)
    return begin(visit.request, order.invoice, form.cleaned_data["gateway"], at=visit.at)


def _show(
    visit: Visit,
    form: TopUpForm,
    asked: AmountForm,
    *,
    amount: Money | None = None,
    changed: bool = False,
    status: int = 200,
) -> HttpResponse:
    quote = visit.quote(amount) if amount else None
    page = {
        "subscription": visit.subscription,
        "account": visit.subscription.account,
        "name": visit.subscription.package.text("name"),
        "form": form,
        "asked": asked,
        "amount": amount,
        "quote": quote,
        "reasons": reasons.of_priced(quote.priced, visit.brand) if quote else [],
        "key": form["key"].value() or uuid.uuid4(),
        "changed": changed,
        "is_business": not visit.private,
    }
    return render(visit.request, "storefront/account/top_up.html", page, status=status)
