"""The rows of readings, audits, alerts and proposals that a guard protects."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from billing.models import Alert, AlertMessage, AlertSettings
from packages.models import Proposal, SecondPerson
from provisioning.models import Audit, Drift, Reading, UnknownAccount


def make(rows: dict[str, Any], *, at: datetime) -> None:
    """Insert the rows beside the server and its account."""
    rows["reading"] = Reading.objects.create(account=rows["account"], slot=at, at=at)
    rows["audit"] = Audit.objects.create(
        server=rows["server"], cause="2026-03-02", actor="test", started_at=at, moved_at=at
    )
    rows["drift"] = Drift.objects.create(
        account=rows["account"],
        diffs=[{"field": "channels", "ours": 10, "theirs": 3}],
        found_at=at,
        seen_at=at,
    )
    rows["unknownaccount"] = UnknownAccount.objects.create(
        server=rows["server"], remote_id="99", username="by-hand", first_at=at, last_at=at
    )
    rows["alert"] = Alert.objects.create(
        kind=Alert.Kind.DRIFT, cause="drift-1", path="/admin/", found_at=at, seen_at=at
    )
    rows["alertmessage"] = AlertMessage.objects.create(
        alert=rows["alert"], news="raised", channel="mail", created_at=at, next_attempt_at=at
    )
    rows["alertsettings"] = AlertSettings.objects.create(pk=1)
    rows["secondperson"] = SecondPerson.objects.create(currency="EUR", above_minor=100_00)
    rows["proposal"] = Proposal.objects.create(
        subject="provisioning.job",
        subject_id=rows["job"].pk,
        deed="applied",
        about="credit",
        given={},
        amount_minor=20_00,
        currency="EUR",
        proposed_by="staff:1",
        at=at,
    )
