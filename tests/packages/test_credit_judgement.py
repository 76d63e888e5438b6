"""Did the credit arrive? The worked table of docs/money.md, judged by the product."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from provisioning.dialler.base import RemoteAccount
from provisioning.models import Account, Attempt, Job
from provisioning.verbs import VERBS, Reading, Verdict
from tests.properties import given, st
from tests.tables import table

AT = datetime(2026, 3, 2, 9, tzinfo=UTC)
MINOR = st.integers(0, 10**7)


@pytest.mark.parametrize(
    ("before", "amount", "can_spend", "after", "verdict"),
    table("money.md", "Did the credit arrive?"),
)
def test_a_balance_is_judged_as_documented(
    before: str, amount: str, can_spend: str, after: str, verdict: str
) -> None:
    attempt = sent(amount=int(amount), before=int(before))
    if can_spend == "no":
        attempt.job.account.password_sealed = b"not handed over yet"
    assert judge(attempt, after=int(after)) == Verdict(verdict)


@given(MINOR, st.integers(1, 10**7), st.integers(0, 10**7))
def test_what_happened_is_never_judged_to_be_the_opposite(
    before: int, amount: int, spent: int
) -> None:
    attempt = sent(amount=amount, before=before)
    assert judge(attempt, after=before - spent) is not Verdict.APPLIED
    if spent != amount:
        assert judge(attempt, after=before + amount - spent) is not Verdict.ABSENT


def test_a_balance_that_is_not_shown_decides_nothing() -> None:
    attempt = sent(amount=2000, before=0)
    assert judge(attempt, after=None) is Verdict.UNDECIDED
    attempt.before = {"balance_minor": None}
    assert judge(attempt, after=2000) is Verdict.UNDECIDED


def test_while_suspended_only_the_exact_rise_proves_it() -> None:
    attempt = sent(amount=400, before=0)
    attempt.job.account.state = Account.State.SUSPENDED
    assert judge(attempt, after=400) is Verdict.APPLIED
    assert judge(attempt, after=399) is Verdict.UNDECIDED


def sent(*, amount: int, before: int) -> Attempt:
    """Return a credit command that left at AT, unsaved."""
    account = Account(state=Account.State.LIVE, password_sealed=None)
    job = Job(account=account, kind=Job.Kind.CREDIT, amount_minor=amount, currency="EUR")
    return Attempt(job=job, before={"balance_minor": before}, sent_at=AT)


def judge(attempt: Attempt, *, after: int | None) -> Verdict:
    remote = RemoteAccount(
        remote_id="1",
        username="ada",
        email=None,
        marker=None,
        active=True,
        balance_minor=after,
        tariff=None,
        channels=None,
        services=None,
        units=None,
    )
    reading = Reading(remote, AT + timedelta(minutes=5))
    return VERBS[Job.Kind.CREDIT].judge(attempt.job, reading, attempt)
