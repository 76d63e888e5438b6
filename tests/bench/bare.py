"""The least that Django can do for a package list: one view, one query, a small template.

Served by gunicorn as the product is; no middleware, no session, no translation.
"""

from __future__ import annotations

import os
from urllib.parse import urlsplit

import django
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path

QUERY = (
    "SELECT p.slug, p.name_en, p.promise_en, x.amount_minor, x.currency FROM packages_package p"
    " JOIN packages_price x ON x.package_id = p.id"
    " WHERE p.visible AND NOT p.archived AND NOT x.archived AND x.currency = 'EUR' ORDER BY p.id"
)
PAGE = """<!doctype html><html lang="en"><head><title>Packages</title></head><body><h1>Packages</h1>
{% for each in packages %}<article><h2><a href="/packages/{{ each.0 }}/">{{ each.1 }}</a></h2>
<p>{{ each.2 }}</p><p>{{ each.3 }} {{ each.4 }}</p></article>
{% endfor %}</body></html>"""


def packages(request: HttpRequest) -> HttpResponse:
    with connection.cursor() as cursor:
        cursor.execute(QUERY)
        return render(request, "packages.html", {"packages": cursor.fetchall()})


urlpatterns = [path("packages/", packages)]


def _configure() -> None:
    database = urlsplit(os.environ["DATABASE_URL"])
    settings.configure(
        ALLOWED_HOSTS=["*"],
        ROOT_URLCONF=__name__,
        MIDDLEWARE=[],
        DATABASES={
            "default": {
                "ENGINE": "django.db.backends.postgresql",
                "NAME": database.path.removeprefix("/"),
                "USER": database.username,
                "PASSWORD": database.password,
                "HOST": database.hostname,
                "PORT": database.port,
                "CONN_MAX_AGE": 60,
                "CONN_HEALTH_CHECKS": True,
            }
        },
        TEMPLATES=[
            {
                "BACKEND": "django.template.backends.django.DjangoTemplates",
                "OPTIONS": {
                    "loaders": [
                        (
                            "django.template.loaders.cached.Loader",
                            [("django.template.loaders.locmem.Loader", {"packages.html": PAGE})],
                        )
                    ]
                },
            }
        ],
    )
    django.setup()


if not settings.configured:
    _configure()
    application = get_wsgi_application()
