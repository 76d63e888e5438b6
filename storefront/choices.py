"""Which currency and billing cycle the reader looks at; a cookie exists only after a choice."""

from dataclasses import dataclass, field

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from billing.models import Brand
from packages.models import Cycle

COOKIE_SECONDS = 365 * 24 * 60 * 60


@dataclass(frozen=True, slots=True)
class Choices:
    """`fresh` are those made by this very request."""

    currency: str
    cycle: str
    currencies: tuple[str, ...]
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


def choices_of(request: HttpRequest, brand: Brand) -> Choices:
    """Read `?currency=` and `?cycle=`, else their cookies, else the shop's; ignore what we lack."""
    offered = {"currency": brand.currency_list, "cycle": list(Cycle.values)}
    chosen = {"currency": brand.currency_list[0], "cycle": str(Cycle.MONTHLY)}
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
    return Choices(chosen["currency"], chosen["cycle"], tuple(brand.currency_list), fresh)
