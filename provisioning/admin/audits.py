"""Audits and what they came across: how far, how many, and the accounts that nobody knows."""

import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django import forms
from django.contrib import admin
from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from packages.desk import actors, filters
from packages.desk.cells import EMPTY, badge, link
from packages.desk.deeds import PROOF_LENGTH, Deed, DeedForm, ReasonForm, Text
from packages.desk.pages import ByActor, ReadOnlyPage
from provisioning import drift_desk, strangers
from provisioning.models import Account, Audit, Server, UnknownAccount


class AuditForm(DeedForm):
    """Carries the cause made when the page was opened: pressing twice asks for one audit."""

    cause = forms.RegexField(r"^staff-[0-9a-f-]{36}$", widget=forms.HiddenInput)


class Compare(Deed):
    """Of an account: an audit of it alone."""

    code, label = "audit", gettext_lazy("Compare with the dialler")
    form = AuditForm

    def offered(self, row: Any) -> bool:
        running = row.state in (Account.State.LIVE, Account.State.SUSPENDED)
        return running and bool(row.remote_id)

    def initial(self, row: Any) -> dict[str, Any]:
        return {"cause": f"staff-{uuid.uuid4()}"}

    def effects(self, row: Any) -> Sequence[Text]:
        return [
            _("The account is read from the dialler and compared with what it should be."),
            _("Nothing is changed there. What differs is listed as drift, for you to decide."),
        ]

    def facts(self, row: Any) -> Sequence[tuple[Text, Any]]:
        return [(_("Account"), f"{row.username} · {row.server.name}")]

    def carry_out(self, row: Any, given: dict[str, Any], *, at: datetime, actor: str) -> Text:
        with transaction.atomic():
            drift_desk.ask(row.server, account=row, cause=given["cause"], at=at, actor=actor)
        return _("A worker compares it now. Reload in a moment.")


class CompareAll(Compare):
    """Of a server: all its accounts."""

    label = gettext_lazy("Compare all accounts")

    def offered(self, row: Server) -> bool:
        return row.accounts.exists()

    def effects(self, row: Server) -> Sequence[Text]:
        return [
            _("Every running or suspended account is compared with what it should be."),
            _("Where the server can list its accounts, unknown ones are listed too."),
            _("Nothing is changed there. What differs is listed as drift, for you to decide."),
        ]

    def facts(self, row: Server) -> Sequence[tuple[Text, Any]]:
        open_ones = row.accounts.filter(state__in=(Account.State.LIVE, Account.State.SUSPENDED))
        return [(_("Server"), row.name), (_("Accounts"), open_ones.count())]

    def carry_out(self, row: Server, given: dict[str, Any], *, at: datetime, actor: str) -> Text:
        with transaction.atomic():
            drift_desk.ask(row, cause=given["cause"], at=at, actor=actor)
        return _("A worker compares them now; the list of audits shows how far it is.")


class ExplainForm(ReasonForm):
    reason = forms.CharField(
        label=gettext_lazy("What it is"),
        max_length=PROOF_LENGTH,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=gettext_lazy("Kept in the history with your name."),
    )


class Explain(Deed):
    code, label = "known", gettext_lazy("Say what it is…")
    form = ExplainForm

    def offered(self, row: UnknownAccount) -> bool:
        return not row.settled_by and row.gone_at is None

    def effects(self, row: UnknownAccount) -> Sequence[Text]:
        return [
            _("You say what the account is. It is not counted as unknown any more."),
            _("Nothing is changed at the dialler. To make it a customer's, import it instead."),
        ]

    def facts(self, row: UnknownAccount) -> Sequence[tuple[Text, Any]]:
        return [(_("Account"), f"{row.username} · {row.server.name}"), (_("E-mail"), row.email)]

    def carry_out(
        self, row: UnknownAccount, given: dict[str, Any], *, at: datetime, actor: str
    ) -> Text:
        strangers.explain(row, reason=given["reason"], actor=actor)
        return _("The account is known now.")


@admin.register(Audit)
class AuditPage(ByActor, ReadOnlyPage):
    list_display = ("what", "progress", "started_at", "compared", "drifted", "in_work") + (
        "unreadable",
        "unknown_there",
    )
    spare = ("in_work", "unreadable")
    list_filter = ("server", "started_at")
    list_select_related = ("server", "account")
    readonly_fields = ("what", "progress", "unknown_there", "by")
    fieldsets = (
        (None, {"fields": ("what", "progress", "note", "by")}),
        (gettext_lazy("When"), {"fields": (("started_at", "finished_at"),)}),
        (
            gettext_lazy("What came out"),
            {"fields": ("compared", "drifted", "in_work", "unreadable", "listed", "unknown_there")},
        ),
    )

    @admin.display(description=gettext_lazy("audit"))
    def what(self, row: Audit) -> str:
        return str(row)

    @admin.display(description=gettext_lazy("state"), ordering="finished_at")
    def progress(self, row: Audit) -> str:
        if row.finished_at is None:
            return badge("wait", _("in work"))
        tone = "warn" if row.unreadable else "ok" if row.compared else ""
        return badge(tone, _("finished"))

    @admin.display(description=gettext_lazy("unknown to us"), ordering="unknown")
    def unknown_there(self, row: Audit) -> str:
        """A server that cannot list its accounts does not show strangers: said, not zero."""
        if row.account is not None:
            return EMPTY
        return str(row.unknown) if row.unknown is not None else _("not listed")


@admin.register(UnknownAccount)
class UnknownAccountPage(ReadOnlyPage):
    deeds = (Explain(),)
    list_display = ("username", "status", "server_link", "email", "remote_id", "first_at")
    spare = ("remote_id",)
    list_filter = (
        "server",
        ("gone_at", filters.titled(filters.YesNo, gettext_lazy("gone"))),
        ("settled_by", filters.titled(filters.YesNo, gettext_lazy("known"))),
    )
    search_fields = ("username", "email", "remote_id")
    list_select_related = ("server",)
    readonly_fields = ("status", "server_link", "settler")
    fieldsets = (
        (None, {"fields": ("status", "username", "email", "remote_id", "server_link")}),
        (gettext_lazy("When"), {"fields": (("first_at", "last_at", "gone_at"),)}),
        (gettext_lazy("What it is"), {"fields": ("reason", "settler")}),
    )

    @admin.display(description=gettext_lazy("state"))
    def status(self, row: UnknownAccount) -> str:
        if row.gone_at is not None:
            return badge("", _("gone"))
        return badge("ok", _("known")) if row.settled_by else badge("warn", _("unknown"))

    @admin.display(description=gettext_lazy("known to"))
    def settler(self, row: UnknownAccount) -> str:
        return actors.told([row.settled_by])[row.settled_by] if row.settled_by else EMPTY

    @admin.display(description=gettext_lazy("server"), ordering="server")
    def server_link(self, row: UnknownAccount) -> str:
        return link(row.server)
