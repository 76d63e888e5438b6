"""/healthz: does everything work, and if not, which part."""

from datetime import timedelta

import redis
from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection
from django.http import HttpRequest, JsonResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache

from provisioning import health
from provisioning.models import Heartbeat

PROCESSES = (*Heartbeat.WORKERS.values(), "beat")
STALE = timedelta(seconds=45)


@never_cache
def healthz(request: HttpRequest) -> JsonResponse:
    """Answer 200 when all parts work, else 503; the JSON says true or false for each."""
    parts = {"database": _database(), "broker": _broker(), **dict.fromkeys(PROCESSES, False)}
    parts["dialler"] = False
    if parts["database"]:
        at = timezone.now()
        beats = dict(Heartbeat.objects.values_list("process", "at"))
        parts |= {name: name in beats and at - beats[name] < STALE for name in PROCESSES}
        parts["dialler"] = health.diallers_work(at=at)
    return JsonResponse(parts, status=200 if all(parts.values()) else 503)


def _database() -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        return True
    except (DatabaseError, InterfaceError):
        return False


def _broker() -> bool:
    client = redis.Redis.from_url(settings.REDIS_URL, socket_connect_timeout=1, socket_timeout=1)
    try:
        return bool(client.ping())
    except redis.RedisError:
        return False
    finally:
        client.close()
