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
    ("before", "amount", "burn", "minutes", "after", "verdict"),
    table("money.md", "Did the credit arrive?"),
)
def test_a_balance_is_judged_as_documented(
    before: str, amount: str, burn: str, minutes: str, after: str, verdict: str
) -> None:
    attempt = sent(amount=int(amount), before=int(before), burn=int(burn))
    assert judge(attempt, after=int(after), minutes=int(minutes)) == Verdict(verdict)


@given(MINOR, st.integers(1, 10**7), st.integers(0, 10**5), st.integers(0, 60), st.data())
def test_what_happened_is_never_judged_to_be_the_opposite(
    before: int, amount: int, burn: int, minutes: int, data: st.DataObject
) -> None:
    attempt = sent(amount=amount, before=before, burn=burn)
    spent = data.draw(st.integers(0, burn * minutes))
    arrived, missing = before + amount - spent, before - spent
    assert judge(attempt, after=arrived, minutes=minutes) is not Verdict.ABSENT
    assert judge(attempt, after=missing, minutes=minutes) is not Verdict.APPLIED


def test_a_balance_that_is_not_shown_decides_nothing() -> None:
    attempt = sent(amount=2000, before=0, burn=0)
    assert judge(attempt, after=None, minutes=1) is Verdict.UNDECIDED
    attempt.before = {"balance_minor": None}
    assert judge(attempt, after=2000, minutes=1) is Verdict.UNDECIDED


def test_before_the_customer_has_the_password_nothing_can_be_spent() -> None:
    attempt = sent(amount=400, before=0, burn=100_000)
    attempt.job.account.password_sealed = b"not handed over yet"
    assert judge(attempt, after=400, minutes=60) is Verdict.APPLIED
    assert judge(attempt, after=0, minutes=60) is Verdict.ABSENT


def sent(*, amount: int, before: int, burn: int) -> Attempt:
    """Return a credit command that left at AT, unsaved."""
    account = Account(burn_minor_per_minute=burn, state=Account.State.LIVE, password_sealed=None)
    job = Job(account=account, kind=Job.Kind.CREDIT, amount_minor=amount, currency="EUR")
    return Attempt(job=job, before={"balance_minor": before}, sent_at=AT)


def judge(attempt: Attempt, *, after: int | None, minutes: int) -> Verdict:
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
    reading = Reading(remote, AT + timedelta(minutes=minutes))
    return VERBS[Job.Kind.CREDIT].judge(attempt.job, reading, attempt)
