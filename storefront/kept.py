"""Pages that all visitors see alike, kept in this process until what they show changes.

A visitor without a session sees what the catalogue, the brand and their own choices make of it. One
query sums up the rows behind that; while its answer stays the same, so does the page.
"""

import hashlib
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.core.cache import caches
from django.db import connection
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_vary_headers
from django.utils.translation import get_language

from billing.models import Brand, TaxRate
from packages import clock
from packages.models import Package, PackageGroup, Price, Rate, Tariff

View = Callable[..., HttpResponse]
# A kept page may show rows of these and no others; a test looks at what the pages read.
SHOWN: tuple[type[Model], ...] = (Brand, Package, PackageGroup, Price, Rate, Tariff, TaxRate)
CHOICES = ("theme", "currency", "cycle", "reader")
# Whoever has one of these may see a page of their own.
PERSONAL = (settings.SESSION_COOKIE_NAME, "messages")


def kept(view: View) -> View:
    """Answer a visitor from what was kept; whoever has a session gets a page of their own."""

    @wraps(view)
    def answer(request: HttpRequest, **parts: Any) -> HttpResponse:
        if any(name in request.COOKIES for name in PERSONAL):
            return view(request, **parts)
        key, pages = _key(request), caches["pages"]
        content = pages.get(key)
        if content is not None:
            return _vary(HttpResponse(content))
        response = view(request, **parts)
        if response.status_code == 200 and not response.cookies:
            pages.set(key, response.content)
        return _vary(response)

    return answer


def _vary(response: HttpResponse) -> HttpResponse:
    patch_vary_headers(response, ("Cookie",))
    return response


def _key(request: HttpRequest) -> str:
    chosen = [request.COOKIES.get(name, "") for name in CHOICES]
    # A tax rate begins at midnight in the billing zone, and every zone's midnight is a new hour.
    hour = clock.now().replace(minute=0, second=0, microsecond=0)
    asked = (request.get_full_path(), get_language(), *chosen, hour, _rows())
    return hashlib.sha256(repr(asked).encode()).hexdigest()


def _rows() -> object:
    """Sum up all rows that are shown: another sum for any change, whoever made it."""
    sums = ", ".join(
        f"(SELECT sum(hashtextextended(x::text, 0)) FROM {model._meta.db_table} x)"
        for model in SHOWN
    )
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {sums}")
        return cursor.fetchone()
