"""Which currency, cycle and prices a reader looks at; a cookie exists only after a choice."""

from dataclasses import dataclass, field
from datetime import datetime

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from billing.models import Brand
from packages.models import Cycle
from storefront import price_modes
from storefront.price_modes import PriceMode

COOKIE_SECONDS = 365 * 24 * 60 * 60


@dataclass(frozen=True, slots=True)
class Choices:
    """`fresh` are those made by this very request."""

    currency: str
    cycle: str
    currencies: tuple[str, ...]
    mode: PriceMode
    fresh: dict[str, str] = field(default_factory=dict)

    def remember(self, response: HttpResponse) -> HttpResponse:
        """Put what was just chosen into cookies of the response."""
        for name, value in self.fresh.items():
            response.set_cookie(
                name,
                value,
                max_age=COOKIE_SECONDS,
                samesite="Lax",
                secure=settings.SESSION_COOKIE_SECURE,
                httponly=True,
            )
        return response


def choices_of(request: HttpRequest, brand: Brand, *, at: datetime) -> Choices:
    """Read `?currency=`, `?cycle=` and `?reader=`, else their cookies, else the shop's; ignore what
    we lack.
    """
    usual = price_modes.usual(brand, at=at)
    offered = {
        "currency": brand.currency_list,
        "cycle": list(Cycle.values),
        "reader": list(usual.readers),
    }
    chosen = {
        "currency": brand.currency_list[0],
        "cycle": str(Cycle.MONTHLY),
        "reader": usual.reader,
    }
    fresh = {}
    for name, values in offered.items():
        kept = request.COOKIES.get(name, "")
        asked = request.GET.get(name, "")
        if asked in values:
            chosen[name] = asked
            if asked != kept:
                fresh[name] = asked
        elif kept in values:
            chosen[name] = kept
    mode = price_modes.chosen(usual, chosen["reader"])
    return Choices(chosen["currency"], chosen["cycle"], tuple(brand.currency_list), mode, fresh)
