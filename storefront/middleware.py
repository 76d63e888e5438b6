"""What happens around every request."""

from collections.abc import Callable
from time import monotonic

import structlog
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.template import loader

log = structlog.get_logger()
Handler = Callable[[HttpRequest], HttpResponse]


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


class DatabaseTrouble:
    """Answer 503 with a plain page while the database is away: nothing was done, try again."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        if not isinstance(error, OperationalError | InterfaceError):
            return None
        log.error("database.unavailable", error=type(error).__name__)
        return unavailable()


def unavailable() -> HttpResponse:
    page = loader.render_to_string("503.html")
    return HttpResponse(page, status=503, headers={"Retry-After": "10"})
