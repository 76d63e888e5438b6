"""Every address of the site."""

from django.contrib import admin
from django.urls import include, path
from django.views.decorators.csrf import csrf_exempt
from django.views.i18n import set_language

from billing import mail_webhook, webhooks
from storefront.health import healthz

urlpatterns = [
    path("healthz", healthz, name="healthz"),
    path("webhooks/mail/", mail_webhook.receive, name="mail_webhook"),
    path("webhooks/<slug:gateway_code>/", webhooks.receive, name="webhook"),
    # A choice of language is no deed; without a token its form needs no cookie on cached pages.
    path("i18n/setlang/", csrf_exempt(set_language), name="set_language"),
    path("accounts/", include("allauth.urls")),
    path("admin/", admin.site.urls),
    path("", include("storefront.urls")),
]
