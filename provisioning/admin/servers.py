"""Servers: how a dialler is reached. The secret goes in and never comes out again."""

import json
from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from packages import clock
from packages.desk import reasons
from packages.desk.cells import EMPTY, badge, counted, lines, link, state
from packages.desk.pages import Page
from packages.states import history_of
from provisioning import pools, servers, vault
from provisioning.admin import roles
from provisioning.admin.audits import CompareAll
from provisioning.admin.health import rows
from provisioning.admin.mapping_field import MappingField
from provisioning.admin.pools import filling, held
from provisioning.admin.requests import requests_page
from provisioning.admin.server_deeds import AskAgain, StartSurvey, TestConnection, date, told
from provisioning.dialler.base import NotAllowed
from provisioning.dialler.mapping import Mapping, MappingError, defaults, simulator_mapping
from provisioning.models import Circuit, Job, Pool, Server

if TYPE_CHECKING:
    ModelForm = forms.ModelForm[Server]
else:
    ModelForm = forms.ModelForm

MOST_STEPS = 10


class ServerForm(ModelForm):
    """The secret is typed in or left alone; the mapping is checked against the profile."""

    secret = forms.CharField(
        label=gettext_lazy("Secret"),
        required=False,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}, render_value=False),
        help_text=gettext_lazy("Password or API key. Never shown; empty keeps the stored one."),
    )
    mapping = MappingField()
    trusts_role = forms.BooleanField(
        label=gettext_lazy("I trust every buyer with this dialler"),
        required=False,
        widget=forms.HiddenInput,
    )

    class Meta:
        model = Server
        fields = "__all__"
        widgets: ClassVar[dict[str, Any]] = {"pools": forms.CheckboxSelectMultiple}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "secret" in self.fields and not self.instance.secret_sealed:
            self.fields["secret"].help_text = _("Password or API key. Never shown again.")
        if "default_role" in self.fields:
            self.fields["default_role"] = roles.field(
                servers.roles_of(self.instance),
                self.instance.default_role,
                label=_("Role of new accounts"),
                nothing=_("the usual one"),
                untold=_("Role id of accounts whose package names none. Test the connection, and "
                         "the roles are offered here."),
            )  # fmt: skip

    def clean_secret(self) -> str:
        secret: str = self.cleaned_data["secret"]
        if not secret and not self.instance.secret_sealed:
            raise forms.ValidationError(_("Enter the password or API key of the API user."))
        return secret

    def clean_base_url(self) -> str:
        url: str = self.cleaned_data["base_url"]
        try:
            servers.reach().demand_url(url)
        except NotAllowed as error:
            raise forms.ValidationError(error.reason) from error
        return url

    def clean_currency(self) -> str:
        currency: str = self.cleaned_data["currency"].upper()
        if len(currency) != 3 or not currency.isalpha():
            raise forms.ValidationError(_("Enter three letters, e.g. EUR."))
        return currency

    def clean_mapping(self) -> Any:
        return self.cleaned_data["mapping"] or {}

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = super().clean() or self.cleaned_data
        if "mapping" in given and given.get("profile"):
            try:
                Mapping.from_json(given["mapping"], profile=given["profile"])
            except MappingError as error:
                self.add_error("mapping", list(error.problems))
        self._check_role(given.get("default_role") or "", trusted=given.get("trusts_role"))
        if given.get("auth") != Server.Auth.BEARER and not given.get("username"):
            self.add_error("username", _("This authentication needs the name of the API user."))
        return given

    def _check_role(self, role: str, *, trusted: bool | None) -> None:
        """A role that rules the dialler is given after the box that appears with this error."""
        server = self.instance
        if role == server.default_role or not servers.administers_by_default(server, role):
            return
        self.fields["trusts_role"].widget = forms.CheckboxInput()
        if not trusted:
            self.add_error("default_role", roles.rules_dialler(role, servers.roles_of(server)))


@admin.register(Server)
class ServerPage(Page):
    guarded = True
    form = ServerForm
    deeds = (TestConnection(), StartSurvey(), CompareAll(), AskAgain())
    list_display = ("name", "health", "asked", "currency", "load", "parked")
    spare = ("currency",)
    list_select_related = ("circuit",)
    list_filter = ("profile", "active")
    search_fields = ("name", "base_url")
    readonly_fields = (
        *("load", "health", "checked_at", "asked", "interruptions"),
        *("requests", "latest_survey", "reference"),
    )
    fieldsets = (
        (None, {"fields": ("name", "currency", "login_url", ("default_role", "trusts_role"))}),
        (
            gettext_lazy("New accounts"),
            {
                "fields": (
                    ("active", "load"),
                    "pools",
                    ("capacity_accounts", "capacity_channels", "weight"),
                )
            },
        ),
        (
            gettext_lazy("Connection"),
            {"fields": ("base_url", "profile", "auth", "username", "secret", "ca_file")},
        ),
        (
            gettext_lazy("Does it answer?"),
            {"fields": ("health", "checked_at", "asked", "interruptions")},
        ),
        (
            gettext_lazy("Patience"),
            {
                "classes": ("collapse",),
                "fields": (
                    ("connect_timeout_seconds", "read_timeout_seconds"),
                    ("quiet_seconds", "read_gap_seconds"),
                    ("runs_at_once", "requests_a_second"),
                    ("reading_minutes", "readings_a_minute"),
                ),
            },
        ),
        (gettext_lazy("Allowances"), {"fields": ("take_back", "by_hand_hours")}),
        (
            gettext_lazy("Names in the API"),
            {"fields": ("mapping", "requests", "latest_survey", "reference")},
        ),
    )

    def get_urls(self) -> list[URLPattern]:
        health = self.admin_site.admin_view(self.health_view)
        requests = self.admin_site.admin_view(self.requests_view)
        return [
            path("health/", health, name="provisioning_server_health"),
            path("<int:pk>/requests/", requests, name="provisioning_server_requests"),
            *super().get_urls(),
        ]

    def health_view(self, request: HttpRequest) -> HttpResponse:
        """Show all servers: does each answer, what waits for it, what went wrong."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        shown = {
            **self.admin_site.each_context(request),
            "title": _("Health of the servers"),
            "opts": self.opts,
            "rows": rows(at=clock.now()),
        }
        return TemplateResponse(request, "admin/server_health.html", shown)

    def requests_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Show the requests that the mapping, or another one typed in, makes; sends none."""
        row = self.get_object(request, str(pk))
        if row is None:
            raise Http404
        if not self.has_view_permission(request, row):
            raise PermissionDenied
        return requests_page(self, request, row)

    def save_model(self, request: HttpRequest, obj: Server, form: Any, change: bool) -> None:
        secret = form.cleaned_data.get("secret")
        if secret:
            obj.secret_sealed = vault.seal(secret, purpose=servers.SECRET)
        super().save_model(request, obj, form, change)

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        default = list(Pool.objects.filter(is_default=True))
        return {"pools": default, **super().get_changeform_initial_data(request)}

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A server with accounts stays; one that was tried out only may go."""
        unused = obj is not None and not obj.accounts.exists()
        return unused and super().has_delete_permission(request, obj)

    @admin.display(description=gettext_lazy("health"))
    def health(self, row: Server) -> str:
        tone = "ok" if row.check_note.startswith(servers.WORKS) else "bad"
        answers = badge(tone if row.checked_at else "", told(row))
        if not servers.administers_by_default(row):
            return answers
        name = servers.roles_of(row)[row.default_role]
        told_role = _("new accounts get the role “%(role)s”") % {"role": name}
        return format_html("{} {}", answers, badge("warn", told_role))

    @admin.display(description=gettext_lazy("jobs and readings"))
    def asked(self, row: Server) -> str:
        """Say whether the server is asked; if not, since when, why, and when it is tried next."""
        if row._state.adding:
            return EMPTY
        circuit = getattr(row, "circuit", None)
        if circuit is None or circuit.state == Circuit.State.CLOSED:
            return badge("ok", Circuit.State.CLOSED.label)
        told = _("since %(since)s, next probe %(next)s: %(why)s") % {
            "since": date(circuit.opened_at),
            "next": date(circuit.probe_at),
            "why": reasons.told(circuit.reason),
        }
        return format_html("{} {}", badge("bad", circuit.get_state_display()), told)

    @admin.display(description=gettext_lazy("interruptions"))
    def interruptions(self, row: Server) -> str:
        """Return the latest steps of the circuit, the newest first."""
        circuit = getattr(row, "circuit", None)
        steps = history_of(circuit).order_by("-id")[:MOST_STEPS] if circuit else ()
        labels = dict(Circuit.State.choices)
        return lines(
            [
                f"{date(step.at)} · {labels[step.after]} · {reasons.told(step.reason)}"
                for step in steps
                if step.before
            ]
        )

    @admin.display(description=gettext_lazy("filling"))
    def load(self, row: Server) -> str:
        if row._state.adding:
            return EMPTY
        return held(row, filling(row, pools.loads_of([row])[row.pk]))

    @admin.display(description=gettext_lazy("needs staff"))
    def parked(self, row: Server) -> str:
        parked = Job.objects.filter(account__server=row, state=Job.State.PARKED)
        return counted(parked, state__exact="parked", account__server__id__exact=row.pk)

    @admin.display(description=gettext_lazy("requests"))
    def requests(self, row: Server) -> str:
        if row._state.adding:
            return EMPTY
        url = reverse("admin:provisioning_server_requests", args=[row.pk])
        return format_html('<a href="{}">{}</a>', url, _("Show the exact requests"))

    @admin.display(description=gettext_lazy("latest survey"))
    def latest_survey(self, row: Server) -> str:
        survey = None if row._state.adding else row.surveys.first()
        if survey is None:
            return EMPTY
        return format_html("{} {}", link(survey), state(survey))

    @admin.display(description=gettext_lazy("examples"))
    def reference(self, row: Server) -> str:
        examples = [
            (_("Defaults of the profile legacy"), defaults("legacy")),
            (_("Defaults of the profile current"), defaults("current")),
            (_("Simulator, legacy"), simulator_mapping("legacy")),
            (_("Simulator, current"), simulator_mapping("current")),
        ]
        folded = format_html_join(
            "",
            '<details class="desk-fold"><summary>{}</summary><pre class="desk-code">{}</pre>'
            "</details>",
            ((title, json.dumps(mapping.to_json(), indent=2)) for title, mapping in examples),
        )
        return format_html("<div>{}</div>", folded)
