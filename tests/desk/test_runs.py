"""A stopped run at the desk: what its release would do is told as it was planned."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from django.test import Client

from billing.models import Run
from packages.states import record_change
from tests.desk import pages

AT = datetime(2026, 3, 2, 9, tzinfo=UTC)
SUSPENDED, CHARGED = "Services are suspended or ended", "Saved payment methods are charged"


@pytest.mark.parametrize(
    ("planned", "told"),
    [
        ({}, set()),
        ({"services": 0, "charges": 2, "charged EUR": 9800}, {CHARGED}),
        ({"services": 6, "charges": 0}, {SUSPENDED}),
    ],
)
def test_only_what_is_planned_is_announced(
    staff: Client, planned: dict[str, int], told: set[str]
) -> None:
    run = Run.objects.create(
        on=date(2026, 3, 2), state=Run.State.STOPPED, planned=planned, started_at=AT
    )
    record_change(run, before="", at=AT, actor="system:billing", reason="stopped")
    html = pages.opened(staff, run, "release")
    assert {each for each in (SUSPENDED, CHARGED) if each in html} == told
