"""Drift, for staff to decide: what differs, the credit beside it, and three deeds.

The page is billing's, for only billing knows what credit was granted.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django import forms
from django.contrib import admin
from django.template.loader import render_to_string
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing import credit_checks
from packages.desk.cells import EMPTY, amount, badge, lines, link, moment, state
from packages.desk.deeds import Deed, DeedForm, ReasonForm, Text
from packages.desk.pages import ReadOnlyPage
from packages.models import Service
from provisioning import diffs, drift_desk
from provisioning.admin.audits import Compare
from provisioning.diffs import Diff
from provisioning.models import Account, Drift
from provisioning.models.audit import FIELDS

WORDS = {
    diffs.RUNS: gettext_lazy("running"),
    diffs.STANDS: gettext_lazy("suspended"),
    diffs.MISSING: gettext_lazy("not there"),
}


def shown(field: str, value: Any) -> Text:
    """Return a value of a diff in words."""
    if field == diffs.STATE:
        return WORDS[value]
    if field == "services":
        return ", ".join(str(Service(each).label) for each in value) or EMPTY
    return str(value) or EMPTY


def sentence(diff: Diff) -> str:
    """Return one diff in one line."""
    name = diff["field"]
    return _("%(field)s: %(ours)s, but there %(theirs)s") % {
        "field": FIELDS[name],
        "ours": shown(name, diff["ours"]),
        "theirs": shown(name, diff["theirs"]),
    }


class Seen(DeedForm):
    """Carries the fingerprint of what the person looked at, so that an old page does nothing."""

    seen = forms.CharField(widget=forms.HiddenInput)


class SeenReason(Seen, ReasonForm):
    """As Seen, with the reason."""


class DriftDeed(Deed):
    form = Seen

    def offered(self, row: Drift) -> bool:
        return row.state in (Drift.State.OPEN, Drift.State.PARKED) and bool(self.concerned(row))

    def concerned(self, row: Drift) -> list[Diff]:
        """Return the diffs that the deed is about."""
        return list(row.diffs)

    def initial(self, row: Drift) -> dict[str, Any]:
        return {"seen": drift_desk.fingerprint(row)}

    def facts(self, row: Drift) -> Sequence[tuple[Text, Any]]:
        account = row.account
        return [
            (_("Account"), f"{account.username} · {account.server.name}"),
            (_("What differs"), lines([sentence(each) for each in self.concerned(row)])),
        ]


class ApplyOurs(DriftDeed):
    code, label = "apply", gettext_lazy("Apply ours")

    def concerned(self, row: Drift) -> list[Diff]:
        return diffs.applicable(row.diffs)

    def effects(self, row: Drift) -> Sequence[Text]:
        return [
            _("Jobs set the account at the dialler to what it should be."),
            _("Credit, included units and data stay as they are."),
            _("The next audit says whether it worked."),
        ]

    def carry_out(self, row: Drift, given: dict[str, Any], *, at: datetime, actor: str) -> Text:
        drift_desk.apply_ours(row, seen=given["seen"], at=at, actor=actor)
        return _("The jobs are in the list; a worker does them now.")


class AcceptTheirs(DriftDeed):
    code, label = "accept", gettext_lazy("Accept theirs")
    form = SeenReason

    def concerned(self, row: Drift) -> list[Diff]:
        return diffs.acceptable(row.diffs)

    def effects(self, row: Drift) -> Sequence[Text]:
        return [
            _("What the dialler shows becomes what the account should be. Nothing is sent."),
            _("Package and price stay; the next exchange of the package sets its limits anew."),
        ]

    def carry_out(self, row: Drift, given: dict[str, Any], *, at: datetime, actor: str) -> Text:
        drift_desk.accept_theirs(
            row, seen=given["seen"], reason=given["reason"], at=at, actor=actor
        )
        return _("The account should be now what the dialler shows.")


class Park(DriftDeed):
    code, label = "park", gettext_lazy("Park")
    form = SeenReason

    def offered(self, row: Drift) -> bool:
        return row.state == Drift.State.OPEN

    def effects(self, row: Drift) -> Sequence[Text]:
        return [
            _("It stays as it is, here and at the dialler. It is not asked about any more."),
            _("As soon as something else differs, it is to be decided again."),
        ]

    def carry_out(self, row: Drift, given: dict[str, Any], *, at: datetime, actor: str) -> Text:
        drift_desk.park(row, seen=given["seen"], reason=given["reason"], at=at, actor=actor)
        return _("The drift is parked.")


class LookAgain(Compare):
    """The account's own deed, offered at its drift."""

    def offered(self, row: Drift) -> bool:
        return row.state != Drift.State.CLOSED and super().offered(row.account)

    def facts(self, row: Drift) -> Sequence[tuple[Text, Any]]:
        return super().facts(row.account)

    def carry_out(self, row: Drift, given: dict[str, Any], *, at: datetime, actor: str) -> Text:
        return super().carry_out(row.account, given, at=at, actor=actor)


@admin.register(Drift)
class DriftPage(ReadOnlyPage):
    deeds = (ApplyOurs(), AcceptTheirs(), Park(), LookAgain())
    list_display = ("account_link", "status", "server", "short", "found_at", "seen_at")
    list_filter = ("state", "account__server", "found_at")
    search_fields = ("account__username", "account__person__email")
    list_select_related = ("account__server",)
    readonly_fields = ("status", "account_link", "server", "differing", "credit")
    fieldsets = (
        (
            None,
            {"fields": ("status", "account_link", "server", ("found_at", "seen_at"), "differing")},
        ),
        (
            gettext_lazy("Credit"),
            {
                "fields": ("credit",),
                "description": gettext_lazy(
                    "To be read only: credit is used up, and no audit ever corrects it."
                ),
            },
        ),
    )

    @admin.display(description=gettext_lazy("state"), ordering="state")
    def status(self, row: Drift) -> str:
        # Staff put it aside: nothing that went wrong.
        return badge("", row.get_state_display()) if row.state == "parked" else state(row)

    @admin.display(description=gettext_lazy("account"), ordering="account__username")
    def account_link(self, row: Drift) -> str:
        return link(row.account)

    @admin.display(description=gettext_lazy("server"), ordering="account__server")
    def server(self, row: Drift) -> str:
        return link(row.account.server)

    @admin.display(description=gettext_lazy("what differs"))
    def short(self, row: Drift) -> str:
        return lines([sentence(each) for each in row.diffs])

    @admin.display(description=gettext_lazy("what differs"))
    def differing(self, row: Drift) -> str:
        rows = [
            {
                "name": FIELDS[each["field"]],
                "ours": shown(each["field"], each["ours"]),
                "theirs": shown(each["field"], each["theirs"]),
                "applicable": each in diffs.applicable(row.diffs),
                "acceptable": each in diffs.acceptable(row.diffs),
            }
            for each in row.diffs
        ]
        return render_to_string("admin/drift.html", {"rows": rows})

    @admin.display(description=gettext_lazy("by our books, and there"))
    def credit(self, row: Drift) -> str:
        return credit_lines(row.account)


def credit_lines(account: Account) -> str:
    """Return the account's credit by our books and at the dialler, one line each."""
    known = credit_checks.compared(account)
    rows = [
        (_("Granted in all"), known.granted),
        (_("Taken back"), known.taken_back),
        (_("Used, as last booked"), known.used),
        (_("Left by our books"), known.left),
        (_("On its way"), known.coming),
        (_("Balance there"), known.balance),
    ]
    told = [f"{label}: {amount(sum_)}" for label, sum_ in rows]
    if known.read_at is not None:
        told[-1] += f" ({moment(known.read_at)})"
    if known.beyond:
        told.append(_("Beyond what we granted: %(sum)s") % {"sum": amount(known.beyond)})
    return lines(told)
