"""A mail when credit runs low: once each time it falls, by the sum that its customer chose."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from billing import low_balances
from billing.models import Mail, Subscription
from provisioning.models import Account
from tests.billing.orders import euros

AT = datetime(2026, 3, 2, 9, tzinfo=UTC)


@pytest.fixture
def service(running_service: Subscription) -> Subscription:
    service = running_service
    Account.objects.update(state=Account.State.LIVE)
    return service


def shown(*balances: int) -> list[int]:
    """Let the dialler show these balances one after the other; return how many mails each made."""
    made = []
    for minutes, minor in enumerate(balances):
        at = AT + timedelta(minutes=minutes)
        Account.objects.update(balance_minor=minor, balance_at=at)
        made.append(low_balances.watch(at=at) + low_balances.watch(at=at))
    return made


def test_each_fall_is_mailed_once(service: Subscription) -> None:
    assert shown(20_00, 4_99, 3_00, 0, 5_00, 4_00, 4_50) == [0, 1, 0, 0, 0, 1, 0]
    mails = Mail.objects.filter(template="low_balance").order_by("pk")
    assert len(mails) == 2
    assert "€4.99" in mails[0].subject
    assert "/top-up/" in mails[0].text


def test_an_account_that_never_had_credit_is_not_told(service: Subscription) -> None:
    assert shown(0, 0, 1_00) == [0, 0, 0]


def test_the_customer_chooses_the_sum_or_none(service: Subscription) -> None:
    low_balances.choose(service, euros(15_00))
    assert shown(20_00, 14_00) == [0, 1]
    low_balances.choose(service, euros(0))
    assert shown(20_00, 1_00) == [0, 0]
    low_balances.choose(service, None)
    assert shown(20_00, 6_00, 1_00) == [0, 0, 1]


def test_what_does_not_run_is_not_told(service: Subscription) -> None:
    shown(20_00)
    Account.objects.update(state=Account.State.SUSPENDED)
    assert shown(1_00) == [0]
