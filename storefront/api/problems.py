"""Errors of the API as RFC 9457 problem details (application/problem+json)."""

from http import HTTPStatus
from typing import Any

from rest_framework.response import Response
from rest_framework.views import exception_handler

MEDIA_TYPE = "application/problem+json"


def handle(error: Exception, context: dict[str, Any]) -> Response | None:
    """Return a problem for every error that the framework knows; None leaves the rest a 500.

    `detail` is safe to show; `errors` holds the messages by field where fields are wrong.
    """
    response = exception_handler(error, context)
    if response is None:
        return None
    problem: dict[str, Any] = {
        "type": "about:blank",
        "title": HTTPStatus(response.status_code).phrase,
        "status": response.status_code,
    }
    data = response.data
    if isinstance(data, dict) and set(data) == {"detail"}:
        problem["detail"] = str(data["detail"])
    else:
        problem["errors"] = data
    response.data = problem
    response.content_type = MEDIA_TYPE
    return response
