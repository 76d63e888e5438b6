"""The only door for gateways: verify, store, answer. Nothing is decided here."""

import structlog
from django.db import DatabaseError, InterfaceError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from billing import gateways, inbox
from billing.gateways.base import MAX_BODY, BadWebhook, IncomingEvent, NotConfigured, Unavailable
from billing.tasks import process_event
from packages import clock, patience
from packages.doorbell import ring

log = structlog.get_logger()

# Of each process. In a storm to ring costs more than to store; the sweep comes every 15 seconds.
RINGS_A_SECOND = 3
# A gateway sends its few thousand bytes at once.
BODY_SECONDS = 3
LONGEST = {"external_id": 80, "kind": 60, "account": 60, "payment_external_id": 80}


@csrf_exempt
@require_POST
def receive(request: HttpRequest, gateway_code: str) -> HttpResponse:
    """Store a believable event and answer 200, also for one that is known already.

    400 for what is not believed, 413 for what is too long (nothing is stored, the database is not
    touched), 404 for no such gateway, 503 when it cannot be judged or stored now: it is sent again.
    """
    try:
        gateway = gateways.get(gateway_code)
    except (KeyError, NotConfigured) as error:
        raise Http404 from error
    try:
        body = body_of(request, most=MAX_BODY, seconds=BODY_SECONDS)
        incoming = gateway.verify_webhook(body, request.headers, at=timezone.now())
        _must_fit(incoming)
    except Unavailable as error:
        log.error("webhook.unjudged", gateway=gateway.code, error=str(error))
        return _later()
    except BadWebhook as error:
        log.warning("webhook.refused", gateway=gateway.code, reason=error.reason)
        status = 413 if error.reason == "oversized" else 400
        return JsonResponse({"status": "refused"}, status=status)
    try:
        event_id = inbox.store(incoming, gateway.code, at=clock.now())
    except (DatabaseError, InterfaceError) as error:
        log.error("webhook.unstored", gateway=gateway.code, error=type(error).__name__)
        return _later()
    if event_id is not None:
        ring(process_event, event_id, most_a_second=RINGS_A_SECOND)
    return JsonResponse({"status": "stored"})


def _later() -> HttpResponse:
    return JsonResponse({"status": "try again"}, status=503, headers={"Retry-After": "5"})


def _must_fit(incoming: IncomingEvent) -> None:
    """Raise BadWebhook for names longer than their columns; no gateway sends such."""
    values = {
        "external_id": incoming.external_id,
        "kind": incoming.kind,
        "account": incoming.account,
        "payment_external_id": incoming.payment_external_id or "",
    }
    for name, value in values.items():
        if len(value) > LONGEST[name]:
            raise BadWebhook("malformed")


def body_of(request: HttpRequest, *, most: int, seconds: int) -> bytes:
    """Read a body of at most so many bytes (one more where its sender did not say how many), and
    for so long at most. Raises BadWebhook: malformed, oversized.
    """
    length = request.headers.get("Content-Length") or "0"
    if not (length.isascii() and length.isdigit()):
        raise BadWebhook("malformed")
    if int(length) > most:
        raise BadWebhook("oversized")
    with patience.at_most(seconds, request.META.get("gunicorn.socket")):
        body = bytes(request.read(most + 1))
    if len(body) < int(length):
        raise BadWebhook("malformed")
    return body
