"""Alerts: what was wrong, since when, who was told; and where the messages go."""

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing import alert_posts, alert_texts
from billing.models import Alert, AlertMessage, AlertSettings
from packages.desk.cells import badge, state
from packages.desk.filters import KeptFilter
from packages.desk.pages import ReadOnlyInline, ReadOnlyPage
from packages.desk.single import OnlyRow
from provisioning import vault

if TYPE_CHECKING:
    ModelForm = forms.ModelForm[AlertSettings]
else:
    ModelForm = forms.ModelForm


class Messages(ReadOnlyInline):
    model = AlertMessage
    fields = ("news", "channel", "status", "created_at", "sent_at", "attempts", "error")
    readonly_fields = fields
    show_change_link = False

    @admin.display(description=gettext_lazy("state"))
    def status(self, row: AlertMessage) -> str:
        return state(row)


class StandingFilter(KeptFilter):
    empty, kept = gettext_lazy("open"), gettext_lazy("resolved")


@admin.register(Alert)
class AlertPage(ReadOnlyPage):
    list_display = ("title", "status", "found_at", "told_at", "resolved_at")
    list_filter = ("kind", ("resolved_at", StandingFilter), "found_at")
    inlines = (Messages,)
    readonly_fields = ("title", "advice", "status", "where")
    fieldsets = (
        (None, {"fields": ("status", "title", "advice", "where")}),
        (gettext_lazy("When"), {"fields": (("found_at", "seen_at"), ("told_at", "resolved_at"))}),
    )

    @admin.display(description=gettext_lazy("alert"), ordering="kind")
    def title(self, row: Alert) -> str:
        return alert_texts.title(row)

    @admin.display(description=gettext_lazy("what to do"))
    def advice(self, row: Alert) -> str:
        return alert_texts.advice(row)

    @admin.display(description=gettext_lazy("where"))
    def where(self, row: Alert) -> str:
        return format_html('<a href="{}">{}</a>', row.path, _("Open the page"))

    @admin.display(description=gettext_lazy("state"), ordering="resolved_at")
    def status(self, row: Alert) -> str:
        if row.resolved_at is not None:
            return badge("ok", _("resolved"))
        return badge("bad" if row.told_at else "wait", _("open") if row.told_at else _("found"))


class AlertSettingsForm(ModelForm):
    """The secret is typed in or left alone; a webhook needs one."""

    secret = forms.CharField(
        label=gettext_lazy("Secret of the webhook"),
        required=False,
        min_length=16,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}, render_value=False),
        help_text=gettext_lazy("Signs each message. Never shown; empty keeps the stored one."),
    )

    class Meta:
        model = AlertSettings
        fields = ("emails", "language", "url")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "secret" in self.fields and not self.instance.secret_sealed:
            self.fields["secret"].help_text = _("Signs each message. Never shown again.")

    def clean_emails(self) -> str:
        given: str = self.cleaned_data["emails"]
        addresses = [each.strip() for each in given.split(",") if each.strip()]
        for address in addresses:
            forms.EmailField().clean(address)
        return ", ".join(addresses)

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = super().clean() or self.cleaned_data
        if given.get("url") and not given.get("secret") and not self.instance.secret_sealed:
            self.add_error("secret", _("Enter the secret that signs the messages."))
        return given


@admin.register(AlertSettings)
class AlertSettingsPage(OnlyRow):
    form = AlertSettingsForm
    guarded = True
    fieldsets = (
        (gettext_lazy("Mail"), {"fields": ("emails", "language")}),
        (gettext_lazy("Webhook"), {"fields": ("url", "secret")}),
    )

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """There is one row, so nobody adds another one behind it."""
        shown = {"title": capfirst(str(self.opts.verbose_name)), "show_save_and_add_another": False}
        return super().add_view(request, form_url, {**shown, **(extra_context or {})})

    def save_model(self, request: HttpRequest, obj: AlertSettings, form: Any, change: bool) -> None:
        obj.pk = 1
        secret = form.cleaned_data.get("secret")
        if secret:
            obj.secret_sealed = vault.seal(secret, purpose=alert_posts.SECRET)
        super().save_model(request, obj, form, change)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return not AlertSettings.objects.exists() and super().has_add_permission(request)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
