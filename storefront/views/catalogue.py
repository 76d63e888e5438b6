"""Home, the package list and one package. Who only reads gets no session and no cookie."""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from billing.models import Subscription, User, current_brand
from packages import clock
from packages.models import Package, Service
from storefront import offers
from storefront.choices import choices_of
from storefront.kept import kept
from storefront.owned import customer_of

HOME_OFFERS = 3


@require_safe
@kept
def home(request: HttpRequest) -> HttpResponse:
    choices = choices_of(request, current_brand(), at=clock.now())
    shelves = offers.shelves(choices.currency, choices.cycle)
    page = {"choices": choices, "teaser": _teaser(shelves)}
    return choices.remember(_page(request, "storefront/home.html", page))


@require_safe
@kept
def packages(request: HttpRequest) -> HttpResponse:
    choices = choices_of(request, current_brand(), at=clock.now())
    shelves = offers.shelves(choices.currency, choices.cycle)
    plans = [offer for shelf in shelves for offer in shelf.offers if _is_plan(offer)]
    page = {
        "choices": choices,
        "shelves": shelves,
        "cycles": offers.cycles_of(shelves),
        "plans": plans,
        "services": Service,
    }
    return choices.remember(_page(request, "storefront/packages.html", page))


@require_safe
def package(request: HttpRequest, slug: str) -> HttpResponse:
    choices = choices_of(request, current_brand(), at=clock.now())
    offer = offers.offer_of(slug, choices.currency, choices.cycle)
    if offer is None:
        raise Http404
    page = {"choices": choices, "offer": offer, "to_top_up": _to_top_up(request, offer)}
    return choices.remember(render(request, "storefront/package.html", page))


def _page(request: HttpRequest, template: str, page: dict[str, Any]) -> HttpResponse:
    """Render; for a visitor without a token in the header's forms, since a token needs a cookie."""
    if not request.user.is_authenticated:
        page["csrf_token"] = ""
    return render(request, template, page)


def _to_top_up(request: HttpRequest, offer: offers.Offer) -> list[Subscription]:
    """Return the reader's services that this top-up could credit."""
    if _is_plan(offer) or not isinstance(request.user, User):
        return []
    active = Subscription.objects.filter(
        customer=customer_of(request),
        state=Subscription.State.ACTIVE,
        currency=offer.price.currency,
    )
    return list(active.select_related("package", "account"))


def _is_plan(offer: offers.Offer) -> bool:
    return offer.package.kind != Package.Kind.TOP_UP


def _teaser(shelves: list[offers.Shelf]) -> list[offers.Offer]:
    """Return the first packages of the list: what most visitors came for."""
    plans = [offer for shelf in shelves for offer in shelf.offers if _is_plan(offer)]
    return plans[:HOME_OFFERS]
