"""What happens around every request."""

from collections.abc import Callable
from time import monotonic
from typing import Any

import structlog
from django.conf import settings
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from django.template import loader
from django.urls import resolve

from billing.models import Brand
from packages import clock
from storefront import viewing

log = structlog.get_logger()
Handler = Callable[[HttpRequest], HttpResponse]
WEBHOOKS = "/webhooks/"


class RequestLog:
    """One line a request: the route and its outcome. Never the path, which may hold a token."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        begun = monotonic()
        response = self.get_response(request)
        log.info(
            "request",
            method=request.method,
            route=request.resolver_match.view_name if request.resolver_match else "",
            status=response.status_code,
            milliseconds=round((monotonic() - begun) * 1000),
        )
        return response


class Webhooks:
    """Let gateways in before all that only browsers need: a webhook is its body and signature.

    What is stored has its row and what is refused its own line, so the request leaves none here.
    """

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not request.path_info.startswith(WEBHOOKS):
            return self.get_response(request)
        try:
            request.resolver_match = found = resolve(request.path_info)
            response: HttpResponse = found.func(request, *found.args, **found.kwargs)
        except Http404:
            # Everybody gets the same page for what is not there.
            return self.get_response(request)
        response.headers["Content-Length"] = str(len(response.content))
        return response


class DatabaseTrouble:
    """Answer 503 with a plain page while the database is away, and before there is a brand."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        if isinstance(error, Brand.DoesNotExist):
            return unavailable()
        if not isinstance(error, OperationalError | InterfaceError):
            return None
        log.error("database.unavailable", error=type(error).__name__)
        return unavailable()


class Viewing:
    """Show staff a customer's pages while their session says so; needs the signed-in user."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if viewing.viewing_of(request) is not None:
            response["Cache-Control"] = "private, no-store"
        return response

    def process_view(self, request: HttpRequest, *view: Any) -> HttpResponse | None:
        # Who has no session is not asked for one: their pages may come from a cache.
        if settings.SESSION_COOKIE_NAME not in request.COOKIES:
            return None
        match = request.resolver_match
        if match is None or match.app_names[:1] != ["storefront"]:
            return None
        if viewing.KEY not in request.session:
            return None
        return viewing.shown(request, at=clock.now())


def unavailable() -> HttpResponse:
    page = loader.render_to_string("503.html")
    return HttpResponse(page, status=503, headers={"Retry-After": "10"})
