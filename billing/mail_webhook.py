"""The only door for mail: verify, store, answer. What becomes of it is decided by a worker."""

import structlog
from django.conf import settings
from django.db import DatabaseError, InterfaceError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from billing import inbound_mails
from billing.gateways import signatures
from billing.gateways.base import BadWebhook
from billing.webhooks import body_of
from packages import clock

log = structlog.get_logger()

# Five files of five megabytes would be more; mail servers seldom take so much.
MAX_MAIL = 25 * 1024 * 1024
# Our own mail server is near.
BODY_SECONDS = 30


@csrf_exempt
@require_POST
def receive(request: HttpRequest) -> HttpResponse:
    """Store a mail (raw RFC 822) that our own mail server signed, and answer 200; once each.

    400 for what is not believed, 413 for what is too long, 404 where no mail comes in, 503 when it
    cannot be stored, so that it is handed in again. Nothing is stored before it is believed.
    """
    secrets = settings.INBOUND_MAIL_SECRETS
    if not secrets:
        raise Http404
    try:
        raw = body_of(request, most=MAX_MAIL, seconds=BODY_SECONDS)
        header = request.headers.get("Castfront-Signature", "")
        usable = signatures.usable(secrets)
        signatures.verify(raw, header, secrets=usable, at=timezone.now(), most=MAX_MAIL)
    except BadWebhook as error:
        log.warning("mail.refused", reason=error.reason)
        status = 413 if error.reason == "oversized" else 400
        return JsonResponse({"status": "refused"}, status=status)
    try:
        inbound_mails.store(raw, at=clock.now())
    except (DatabaseError, InterfaceError) as error:
        log.error("mail.unstored", error=type(error).__name__)
        return JsonResponse({"status": "try again"}, status=503, headers={"Retry-After": "5"})
    return JsonResponse({"status": "stored"})
