"""Every address of the site."""

from django.contrib import admin
from django.urls import include, path

from billing import webhooks
from storefront.health import healthz

urlpatterns = [
    path("healthz", healthz, name="healthz"),
    path("webhooks/<slug:gateway_code>/", webhooks.receive, name="webhook"),
    path("i18n/", include("django.conf.urls.i18n")),
    path("accounts/", include("allauth.urls")),
    path("admin/", admin.site.urls),
    path("", include("storefront.urls")),
]
