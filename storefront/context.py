"""What every page knows: the operator's brand, the reader's theme, the basket's size."""

from typing import Any

from django.db import DatabaseError
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from billing import carts
from billing.models import Brand, current_brand
from storefront.owned import rights_of
from storefront.viewing import viewing_of

THEMES = ("light", "dark")


def site(request: HttpRequest) -> dict[str, Any]:
    theme = request.COOKIES.get("theme", "")
    return {
        "brand": SimpleLazyObject(current_brand_or_blank),
        "viewing": viewing_of(request),
        "theme": theme if theme in THEMES else "",
        "cart_count": SimpleLazyObject(lambda: _cart_count(request)),
        "may": SimpleLazyObject(lambda: rights_of(request)),
    }


def current_brand_or_blank() -> Brand:
    """Return the brand; a blank one where there is none yet, so that even error pages render."""
    try:
        return current_brand()
    except (Brand.DoesNotExist, DatabaseError):
        return Brand(name="", company="")


def _cart_count(request: HttpRequest) -> int:
    session = getattr(request, "session", None)
    # An anonymous visitor without a basket costs no query and gets no cookie.
    if session is None or "cart" not in session:
        return 0
    cart = carts.find(session["cart"])
    return cart.lines.count() if cart else 0
