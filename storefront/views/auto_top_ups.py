"""Automatic top-up of a service: the sums, the words agreed to, on and off; and low-balance mails.

It is a standing order to buy, so the page shows what is ordered in full above the button.
"""

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from billing import auto_top_ups, low_balances, methods, top_ups
from billing.models import (
    AutoTopUp,
    Brand,
    PaymentMethod,
    Subscription,
    TopUpTerms,
    current_brand,
)
from packages import clock
from packages.money import Money
from packages.states import StateChange, history_of
from storefront.auto_top_up_forms import AgreeForm, LowForm, StandingForm
from storefront.consents import kept, sentences, standing
from storefront.owned import owned_subscription, user_of


@dataclass(frozen=True, slots=True)
class Visit:
    """What one request works with."""

    request: HttpRequest
    subscription: Subscription
    terms: TopUpTerms
    auto: AutoTopUp | None
    method: PaymentMethod | None
    brand: Brand
    at: datetime

    @property
    def private(self) -> bool:
        return not self.subscription.customer.is_business

    @property
    def actor(self) -> str:
        return f"user:{user_of(self.request).pk}"

    def consents(self, sums: dict[str, Money]) -> dict[str, str]:
        """Return every sentence that is agreed to, with the sums that were typed."""
        assert self.method is not None, "Without a method there is nothing to agree to."
        account = self.subscription.account
        username = account.username if account else ""
        words = standing(sums, self.brand, account=username, method=str(self.method))
        known = sentences(self.brand)
        return {"standing": words, **{name: known[name] for name in ("terms", "early_start")}}

    def back(self) -> HttpResponse:
        return redirect("storefront:auto_top_up", self.subscription.public_id)


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def auto_top_up(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    """GET shows the sums, and what would be agreed to; POST with an `action` does it."""
    subscription = owned_subscription(request, public_id)
    terms = top_ups.terms_of(subscription)
    if terms is None:
        messages.error(request, _("This service cannot be topped up just now."))
        return redirect("storefront:service", public_id)
    auto = AutoTopUp.objects.filter(subscription=subscription).first()
    method = methods.default_of(subscription.customer)
    visit = Visit(request, subscription, terms, auto, method, current_brand(), clock.now())
    deed = DEEDS.get(request.POST.get("action", "")) if request.method == "POST" else None
    return deed(visit) if deed else _show(visit, request.GET if "amount" in request.GET else None)


def _on(visit: Visit) -> HttpResponse:
    form = StandingForm(visit.request.POST, visit.terms, visit.auto)
    if visit.method is None or not form.is_valid():
        return _show(visit, visit.request.POST, status=422)
    sums = {name: form.cleaned_data[name] for name in ("below", "amount", "month")}
    words = visit.consents(sums)
    agree = AgreeForm(visit.request.POST, consents=words, private=visit.private)
    # The words that were shown are the words that are stored; another card or sum is shown first.
    if not agree.is_valid() or visit.request.POST.get("seen") != words["standing"]:
        return _show(visit, visit.request.POST, agree=agree, status=422)
    consent = kept(agree.cleaned_data, words, visit.brand, at=visit.at)
    try:
        auto_top_ups.switch_on(
            visit.subscription, **sums, consent=consent, at=visit.at, actor=visit.actor
        )
    except (top_ups.NotForSale, top_ups.OutOfRange):
        messages.error(visit.request, _("This service cannot be topped up just now."))
        return visit.back()
    methods.switch(visit.subscription.customer, True, at=visit.at, actor=visit.actor)
    messages.success(visit.request, _("Automatic top-up is on."))
    return visit.back()


def _off(visit: Visit) -> HttpResponse:
    reason = "switched off by the customer"
    auto_top_ups.switch_off(visit.subscription, reason=reason, at=visit.at, actor=visit.actor)
    messages.success(visit.request, _("Automatic top-up is off. Nothing more is bought by itself."))
    return visit.back()


def _low(visit: Visit) -> HttpResponse:
    form = LowForm(visit.request.POST, visit.terms, None)
    if not form.is_valid():
        return _show(visit, None, low=form, status=422)
    low_balances.choose(visit.subscription, form.cleaned_data["low"])
    messages.success(visit.request, _("Saved."))
    return visit.back()


DEEDS = {"on": _on, "off": _off, "low": _low}


def _show(
    visit: Visit,
    data: Any,
    *,
    agree: AgreeForm | None = None,
    low: LowForm | None = None,
    status: int = 200,
) -> HttpResponse:
    form = StandingForm(data, visit.terms, visit.auto)
    ready = data is not None and form.is_valid() and visit.method is not None
    sums = {name: form.cleaned_data[name] for name in ("below", "amount", "month")} if ready else {}
    words = visit.consents(sums) if ready else {}
    chosen = visit.subscription.low_minor
    page = {
        "subscription": visit.subscription,
        "account": visit.subscription.account,
        "name": visit.subscription.package.text("name"),
        "method": visit.method,
        "form": form,
        "words": words.get("standing", ""),
        "agree": agree
        or (AgreeForm(None, consents=words, private=visit.private) if ready else None),
        "low": low
        or LowForm(
            None, visit.terms, None if chosen is None else Money(chosen, visit.terms.currency)
        ),
        "is_business": not visit.private,
        **state_of(visit.auto, at=visit.at),
    }
    if status == 200 and data is not None and not ready:
        status = 422
    return render(visit.request, "storefront/account/auto_top_up.html", page, status=status)


def _declined(auto: AutoTopUp) -> StateChange | None:
    """Return the step by which a declined charge switched it off; None where somebody did."""
    last = history_of(auto).order_by("pk").last()
    return last if last and last.reason.startswith(auto_top_ups.DECLINED) else None


def state_of(auto: AutoTopUp | None, *, at: datetime) -> dict[str, Any]:
    """Return what a page says about a standing order: on, paused and why, bought this month."""
    if auto is None:
        return {"auto": None}
    if auto.state != AutoTopUp.State.ON:
        return {"auto": None, "auto_stopped": _declined(auto)}
    pause = auto_top_ups.pause_of(auto, at=at)
    return {
        "auto": auto,
        "auto_pause": auto_top_ups.PAUSES.get(pause, ""),
        "auto_bought": auto_top_ups.bought_now(auto, at=at),
    }
