"""What happens around every request."""

from collections.abc import Callable

import structlog
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.template import loader

log = structlog.get_logger()
Handler = Callable[[HttpRequest], HttpResponse]


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
