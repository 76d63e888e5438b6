"""Whatever customers, staff, gateway, dialler and clock do, in whatever order: every promise holds.

A walk that fails prints its steps. What it needs beside its seed is in `walking.py`.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from billing import ledger
from billing.models import Payment
from packages.money import Money
from provisioning import verbs
from provisioning.models import Job
from tests.walks import calendar, customers
from tests.walks.deeds import Step
from tests.walks.machine import Walk
from tests.walks.promises import Broken
from tests.walks.walking import SEED, STEPS, walk

# Each with a seed of its own, so that two processes share them.
PARTS = 4


@pytest.mark.parametrize("part", range(PARTS))
def test_random_walks_keep_every_promise(
    part: int, transactional_db: None, capsys: pytest.CaptureFixture[str]
) -> None:
    walked = walk(number=SEED + part, steps=STEPS // PARTS)
    with capsys.disabled():
        sys.stdout.write(f" {walked} steps from seed {SEED + part} ")
    assert walked >= STEPS // PARTS


def test_a_walk_finds_money_that_vanishes(
    transactional_db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is paid beyond the sum due is not booked."""
    honest = ledger.book_payments

    def forgetful(payments: Sequence[tuple[Payment, Money]], *, at: Any) -> None:
        for payment, settled in payments:
            payment.amount_minor = settled.minor
        honest(payments, at=at)

    monkeypatch.setattr(ledger, "book_payments", forgetful)
    with pytest.raises(Broken):
        walk(number=1, steps=1_000)


def test_a_walk_finds_credit_that_was_given_twice(
    transactional_db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A command whose answer was lost is sent again, whatever the dialler shows."""
    careless = replace(verbs.VERBS[Job.Kind.CREDIT], judge=lambda *_: verbs.Verdict.ABSENT)
    monkeypatch.setitem(verbs.VERBS, Job.Kind.CREDIT, careless)
    order: dict[str, Any] = {"slugs": ["flex"], "cycle": "", "quantity": 1, "code": ""}
    lost: dict[str, Any] = {"apply": "yes", "answer": "reset_after", "times": 3}
    pay: dict[str, Any] = {"card": customers.GOOD_CARD, "keeps": False, "comes_back": True}
    walk = Walk(
        [
            Step(customers.orders_packages, {"pick": 0, **order}),
            Step(customers.pays, {"pick": 0, **pay}),
            Step(calendar.dialler_misbehaves, lost),
            *[Step(calendar.workers_work, {"minutes": 30})] * 6,
        ]
    )
    with pytest.raises(Broken, match="given once"):
        walk.go()
