"""The preview of a mapping: every operation with the exact requests it makes."""

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from packages.desk.pages import Page
from packages.models import Package
from provisioning import servers, vault
from provisioning.admin.mapping_field import MappingField
from provisioning.dialler import preview
from provisioning.dialler.base import AccountSpec
from provisioning.dialler.mapping import Mapping, MappingError
from provisioning.models import Server

OPERATIONS = {
    "check": gettext_lazy("Connection test, and every probe"),
    "find": gettext_lazy("Look an account up by its name"),
    "create": gettext_lazy("Create an account"),
    "get": gettext_lazy("Read an account"),
    "set_limits": gettext_lazy("Set tariff, channels, services and units"),
    "suspend": gettext_lazy("Suspend"),
    "unsuspend": gettext_lazy("Unsuspend"),
    "set_password": gettext_lazy("Change the password"),
    "credit": gettext_lazy("Credit 25.00"),
    "debit": gettext_lazy("Take 5.00 back"),
    "delete": gettext_lazy("Delete"),
    "read_usage": gettext_lazy("Read the campaigns' totals"),
    "list": gettext_lazy("List all accounts"),
}


class MappingForm(forms.Form):
    mapping = MappingField()


def requests_page(page: Page, request: HttpRequest, row: Server) -> HttpResponse:
    """Render the preview of the stored mapping, or of the one that was sent; stores nothing."""
    sent = request.POST if request.method == "POST" else None
    form = MappingForm(sent, initial={"mapping": row.mapping})
    typed = form.cleaned_data["mapping"] if form.is_valid() else row.mapping
    operations, problems = [], []
    try:
        mapping = Mapping.from_json(typed or {}, profile=row.profile)
        endpoint = servers.endpoint(row, mapping=mapping)
        operations = [
            (OPERATIONS[each.operation], each) for each in preview.of(endpoint, example())
        ]
    except MappingError as error:
        problems = list(error.problems)
    except vault.Unsealable:
        problems = [_("The stored secret was sealed with another key: enter it again.")]
    context: dict[str, Any] = {
        **page.admin_site.each_context(request),
        "title": _("Requests to %(server)s") % {"server": row.name},
        "opts": page.opts,
        "original": row,
        "form": form,
        "operations": operations,
        "problems": problems,
        "back": reverse("admin:provisioning_server_change", args=[row.pk]),
    }
    return TemplateResponse(request, "admin/requests.html", context)


def example() -> AccountSpec:
    """Return an account to show: with the limits of the first package, if there is one."""
    packages = Package.objects.exclude(tariff=None).select_related("tariff")
    package = packages.first()
    return AccountSpec(
        username="acme-4f21",
        email="ann@acme.example",
        first_name="Ann",
        last_name="Acme",
        company="Acme GmbH",
        phone="+49301234567",
        language="en",
        tariff=package.tariff.remote_id if package and package.tariff else "standard",
        channels=package.channels if package else 10,
        services=tuple(package.services) if package else ("voice",),
        role=package.role if package else "",
        units=tuple(package.units.items()) if package else (),
    )
