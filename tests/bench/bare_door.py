"""The floor of the webhooks' door: a bare Django that verifies an HMAC and inserts one row.

A program of its own for gunicorn (`tests.bench.bare_door`); DATABASE_URL and SECRET say the rest.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
from urllib.parse import urlsplit

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.urls import path

TABLE = "bare_event"
CREATE = (
    f"CREATE TABLE IF NOT EXISTS {TABLE} (id bigserial PRIMARY KEY, name text UNIQUE NOT NULL,"
    " body bytea NOT NULL, received_at timestamptz NOT NULL DEFAULT now())"
)
INSERT = f"INSERT INTO {TABLE} (name, body) VALUES (%s, %s) ON CONFLICT DO NOTHING"


def receive(request: HttpRequest) -> HttpResponse:
    """Answer as ours does, length and all."""
    body = request.body
    stamp, _, mac = request.headers["Simulated-Signature"].partition(",v1=")
    content = stamp.removeprefix("t=").encode() + b"." + body
    expected = hmac.new(SECRET, content, hashlib.sha256).hexdigest()
    if not hmac.compare_digest(expected, mac):
        return HttpResponse("refused", status=400, headers={"Content-Length": "7"})
    with connection.cursor() as cursor:
        cursor.execute(INSERT, [json.loads(body)["id"], body])
    return HttpResponse("stored", headers={"Content-Length": "6"})


urlpatterns = [path("webhooks/simulated/", receive)]

if "BARE" in os.environ:
    SECRET = os.environ["SIMULATED_GATEWAY_SECRET"].split()[0].encode()
    there = urlsplit(os.environ["DATABASE_URL"])
    settings.configure(
        ALLOWED_HOSTS=["127.0.0.1"],
        ROOT_URLCONF=__name__,
        DATABASES={
            "default": {
                "ENGINE": "django.db.backends.postgresql",
                "HOST": there.hostname,
                "PORT": there.port,
                "USER": there.username,
                "PASSWORD": there.password,
                "NAME": there.path[1:],
                "CONN_MAX_AGE": 60,
            }
        },
    )
    application = get_wsgi_application()
