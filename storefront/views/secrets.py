"""Hand over the login: a page that asks, and an answer that shows it once."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from packages import clock
from provisioning import secrets


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def secret(request: HttpRequest, token: str) -> HttpResponse:
    """Say what will happen; only a POST opens, so that a mail scanner's visit burns nothing.

    Neither page's address leaves in a Referer. The one that asks says so by `strict-origin`,
    because under `no-referrer` a browser sends `Origin: null` with the form, which the check
    against forged requests must refuse (Fetch standard, "append a request Origin header").
    """
    if request.method != "POST":
        usable = secrets.exists(token, at=clock.now())
        if not usable:
            return _gone(request)
        response = render(request, "storefront/secret_ask.html")
        response["Referrer-Policy"] = "strict-origin"
        return response
    return _open(request, token)


def _open(request: HttpRequest, token: str) -> HttpResponse:
    try:
        login = secrets.reveal(token, at=clock.now())
    except secrets.Gone:
        return _gone(request)
    response = render(request, "storefront/secret_shown.html", {"login": login})
    response["Referrer-Policy"] = "no-referrer"
    return response


def _gone(request: HttpRequest) -> HttpResponse:
    response = render(request, "storefront/secret_gone.html", status=410)
    response["Referrer-Policy"] = "no-referrer"
    # Django would log the path of a 4xx, and the path holds the token.
    setattr(response, "_has_been_logged", True)  # noqa: B010
    return response
