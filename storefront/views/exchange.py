"""Change the package of a service: what is possible, what it costs, and the binding order."""

import uuid
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from billing import exchanges, gateways, quotes, returns, tax
from billing.models import Exchange, Subscription
from packages import clock
from packages.models import Price, Service
from packages.periods import business_day
from storefront import reasons
from storefront.owned import owned_subscription, user_of
from storefront.templatetags.money import day
from storefront.views.payment import begin, page_of


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def service_exchange(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    """GET shows the targets, and with one chosen what it costs; POST agrees on what was seen."""
    subscription, at = owned_subscription(request, public_id), clock.now()
    if request.method == "POST":
        return _agree(request, subscription, at=at)
    return _show(request, subscription, at=at)


@login_required
@require_POST
def service_exchange_withdraw(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    """Take back the own service's change of package that is not done yet."""
    subscription, at = owned_subscription(request, public_id), clock.now()
    waiting = quotes.pending(subscription)
    if waiting is not None:
        try:
            exchanges.withdraw(waiting, at=at, actor=f"user:{user_of(request).pk}")
            messages.success(request, _("The change is taken back. Your package stays as it is."))
        except quotes.NotExchangeable as error:
            messages.error(request, str(error))
    return redirect("storefront:service", public_id)


@login_required
@require_POST
def service_return(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    """Let an own ended service run again: at once if it is paid for, else order it and go on to
    pay.
    """
    subscription, at = owned_subscription(request, public_id), clock.now()
    actor = f"user:{user_of(request).pk}"
    if not subscription.returnable:
        raise Http404
    try:
        if returns.is_free(subscription, on=business_day(at, subscription.zone)):
            returns.reopen(subscription, at=at, actor=actor)
            messages.success(request, _("Your service is back. It runs again within a minute."))
            return redirect("storefront:service", public_id)
        order = returns.place(
            subscription,
            seen=request.POST.get("seen", ""),
            placed_by=user_of(request),
            language=request.LANGUAGE_CODE.split("-")[0],
            at=at,
            actor=actor,
        )
    except (returns.NotReturnable, tax.NoRate):
        text = _("This service cannot be brought back any more. Nothing was ordered.")
        messages.error(request, text)
        return redirect("storefront:service", public_id)
    if not order.invoice.due:
        return page_of(order.invoice)
    return begin(request, order.invoice, request.POST.get("gateway", ""), at=at)


def _agree(request: HttpRequest, subscription: Subscription, *, at: datetime) -> HttpResponse:
    try:
        quote = _quote(request, subscription, at=at, given=request.POST)
        if quote is None:
            return _show(request, subscription, at=at)
        exchange = exchanges.place(
            quote,
            seen=request.POST.get("seen", ""),
            placed_by=user_of(request),
            language=request.LANGUAGE_CODE.split("-")[0],
            at=at,
            actor=f"user:{user_of(request).pk}",
        )
    except exchanges.Changed:
        return _show(request, subscription, at=at, changed=True)
    except quotes.NotExchangeable as error:
        messages.error(request, str(error))
        return redirect("storefront:service_exchange", subscription.public_id)
    return _after(request, exchange, at=at)


def _after(request: HttpRequest, exchange: Exchange, *, at: datetime) -> HttpResponse:
    """Go on to the payment, or back to the service with a word about what was done."""
    if exchange.order_line is not None:
        invoice = exchange.order_line.order.invoice
        if not invoice.due:
            return page_of(invoice)
        return begin(request, invoice, request.POST.get("gateway", ""), at=at)
    if exchange.mode == Exchange.Mode.AT_END:
        words = {"package": exchange.package.text("name"), "date": day(exchange.on)}
        text = _("From %(date)s on your package is %(package)s. Until then nothing changes.")
        messages.success(request, text % words)
    else:
        words = {"package": exchange.package.text("name")}
        text = _("Your package is now %(package)s. It works at the dialler within a minute.")
        messages.success(request, text % words)
    return redirect("storefront:service", exchange.subscription.public_id)


def _show(
    request: HttpRequest, subscription: Subscription, *, at: datetime, changed: bool = False
) -> HttpResponse:
    obstacle = quotes.obstacle(subscription)
    page = {
        "subscription": subscription,
        "name": subscription.package.text("name"),
        "obstacle": obstacle,
        "blocking": quotes.open_invoice(subscription) if obstacle else None,
        "targets": [_target(each) for each in quotes.targets(subscription)],
        "changed": changed,
        "gateways": gateways.offered(subscription.currency),
    }
    given = request.POST if request.method == "POST" else request.GET
    try:
        quote = _quote(request, subscription, at=at, given=given)
    except (quotes.NotExchangeable, tax.NoRate) as error:
        quote, page["refused"] = None, str(error)
    page["quote"] = quote
    if quote is not None:
        on = business_day(at, subscription.zone)
        page["modes"] = quotes.modes(subscription, quote.price, on=on)
        page["reasons"] = reasons.of_exchange(quote)
    status = 409 if changed else 200
    return render(request, "storefront/account/exchange.html", page, status=status)


def _quote(
    request: HttpRequest, subscription: Subscription, *, at: datetime, given: Any
) -> quotes.Quote | None:
    """Quote what the browser chose among the targets; None while nothing is chosen."""
    chosen = [each for each in quotes.targets(subscription) if str(each.pk) == given.get("price")]
    if not chosen:
        return None
    on = business_day(at, subscription.zone)
    possible = quotes.modes(subscription, chosen[0], on=on)
    named = [each for each in possible if each.value == given.get("mode")]
    mode = named[0] if named else possible[0]
    return quotes.quote(subscription, chosen[0], on=on, mode=mode)


def _target(price: Price) -> dict[str, object]:
    package = price.package
    return {
        "price": price,
        "name": package.text("name"),
        "channels": package.channels,
        "services": [Service(each).label for each in package.services],
        "tariff": package.tariff,
    }
