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
    if before == 0 or spent != amount:
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


@pytest.mark.parametrize(
    ("balance", "keep", "most", "taken"), table("money.md", "Taking credit back")
)
def test_what_is_taken_back_is_as_documented(
    balance: str, keep: str, most: str, taken: str
) -> None:
    job = taking(keep=int(keep), most=int(most))
    assert aim(job, balance=int(balance))
    assert job.amount_minor == int(taken)


@given(MINOR, MINOR, MINOR, st.booleans(), MINOR)
def test_sent_again_it_takes_no_more_than_before_and_nothing_that_is_kept(
    balance: int, keep: int, most: int, applied: bool, spent: int
) -> None:
    """Whether the first command was applied or not, and whatever was spent meanwhile."""
    job = taking(keep=keep, most=most)
    aim(job, balance=balance)
    first = job.amount_minor or 0
    assert first <= most
    assert balance - first >= min(balance, keep)
    after = balance - spent - (first if applied else 0)
    verdict = VERBS[Job.Kind.TAKE_BACK].judge(job, reading_of(after), None)
    assert (verdict is Verdict.APPLIED) == (after <= balance - first)
    if verdict is Verdict.ABSENT:
        assert not (applied and first)
        aim(job, balance=after)
        assert after - (job.amount_minor or 0) == balance - first


def test_nothing_is_taken_on_a_balance_that_is_not_shown() -> None:
    assert not aim(taking(keep=0, most=100), balance=None)


def taking(*, keep: int, most: int) -> Job:
    details = {"keep_minor": keep, "most_minor": most}
    return Job(kind=Job.Kind.TAKE_BACK, currency="EUR", details=details)


def aim(job: Job, *, balance: int | None) -> bool:
    decide = VERBS[Job.Kind.TAKE_BACK].aim
    assert decide is not None
    return decide(job, reading_of(balance))


def sent(*, amount: int, before: int) -> Attempt:
    """Return a credit command that left at AT, unsaved."""
    account = Account(state=Account.State.LIVE, password_sealed=None)
    job = Job(account=account, kind=Job.Kind.CREDIT, amount_minor=amount, currency="EUR")
    return Attempt(job=job, before={"balance_minor": before}, sent_at=AT)


def judge(attempt: Attempt, *, after: int | None) -> Verdict:
    return VERBS[Job.Kind.CREDIT].judge(attempt.job, reading_of(after), attempt)


def reading_of(balance: int | None) -> Reading:
    remote = RemoteAccount(remote_id="1", username="ada", active=True, balance_minor=balance)
    return Reading(remote, AT + timedelta(minutes=5))
