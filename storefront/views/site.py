"""What belongs to the whole site: its colours, legal pages, and how a reader wants to see it."""

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.cache import get_conditional_response
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST, require_safe

from billing import colours, legal_texts
from billing.models import LegalText
from storefront.context import THEMES, current_brand_or_blank

# Where a page has a longer name than its word in the desk.
TITLES = {LegalText.Page.WITHDRAWAL.value: _("Right of withdrawal")}
YEAR_SECONDS = 365 * 24 * 3600
COLOURS_FRESH_SECONDS = 300


@require_safe
def brand_css(request: HttpRequest) -> HttpResponse:
    """Serve the operator's colours; a browser asks again after five minutes, mostly hears 304."""
    css = colours.stylesheet(current_brand_or_blank().accent)
    etag = colours.fingerprint(css)
    headers = {"ETag": etag, "Cache-Control": f"public, max-age={COLOURS_FRESH_SECONDS}"}
    response = HttpResponse(css, content_type="text/css; charset=utf-8", headers=headers)
    answer = get_conditional_response(request, etag=etag, response=response)
    assert isinstance(answer, HttpResponse)
    return answer


@require_safe
def legal(request: HttpRequest, page: str) -> HttpResponse:
    """Show a text of the operator's as plain paragraphs; nothing in it is ever taken as HTML."""
    if page not in LegalText.Page.values:
        raise Http404
    row = LegalText.objects.filter(page=page).first()
    context = {
        "title": TITLES.get(page, LegalText.Page(page).label),
        "blocks": legal_texts.blocks(row.text("body") if row else ""),
    }
    return render(request, "storefront/legal.html", context)


@require_POST
def theme(request: HttpRequest) -> HttpResponse:
    """Remember light or dark for a year; anything else means: as the device."""
    wish = request.POST.get("theme", "")
    return _remember(request, "theme", wish if wish in THEMES else "")


@require_POST
def currency(request: HttpRequest) -> HttpResponse:
    """Remember the currency for a year if the shop sells in it."""
    wish = request.POST.get("currency", "")
    known = current_brand_or_blank().currency_list
    return _remember(request, "currency", wish if wish in known else "")


def _remember(request: HttpRequest, cookie: str, value: str) -> HttpResponse:
    response = HttpResponseRedirect(_next_page(request))
    if value:
        response.set_cookie(
            cookie,
            value,
            max_age=YEAR_SECONDS,
            secure=settings.HTTPS,
            httponly=True,
            samesite="Lax",
        )
    else:
        response.delete_cookie(cookie, samesite="Lax")
    return response


def _next_page(request: HttpRequest) -> str:
    """Return where the form wants to go if that is a page of ours, else the start page."""
    wish = request.POST.get("next", "")
    allowed = url_has_allowed_host_and_scheme(
        wish, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return wish if allowed else reverse("storefront:home")
