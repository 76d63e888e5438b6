"""What is shown of use and credit, and what is mailed when included units run out."""

from __future__ import annotations

import copy
import uuid
from datetime import UTC, datetime, timedelta

import pytest

from billing import balance_charts, quotas, statements, usage
from billing.models import BucketEntry, CreditBucket, Mail, Subscription, SubscriptionPeriod
from packages.money import Money
from provisioning.models import Account, Job, Reading

AT = datetime(2026, 3, 2, 9, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def service(running_service: Subscription) -> Subscription:
    """A running service whose opening credit of 20.00 has arrived; 2,000 minutes and 250 SMS."""
    subscription = running_service
    account = subscription.account
    assert account is not None
    Job.objects.filter(account=account).update(state=Job.State.DONE, finished_at=AT)
    Account.objects.filter(pk=account.pk).update(
        state=Account.State.LIVE, balance_minor=20_00, balance_at=AT
    )
    line = subscription.order_lines.get()
    grant(subscription, 20_00, CreditBucket.Kind.RESETTING, f"order-line-{line.pk}:credit", AT)
    return Subscription.objects.select_related("account", "customer").get()


def grant(
    subscription: Subscription,
    minor: int,
    kind: CreditBucket.Kind,
    cause: str,
    at: datetime,
) -> None:
    account = subscription.account
    assert account is not None
    bucket = CreditBucket.objects.create(
        account=account,
        kind=kind,
        cause=cause,
        currency="EUR",
        granted_minor=minor,
        left_minor=minor,
        at=at,
    )
    granted = BucketEntry.Kind.GRANTED
    BucketEntry.objects.create(bucket=bucket, kind=granted, amount_minor=minor, cause=cause, at=at)


def read(
    subscription: Subscription,
    at: datetime,
    minor: int | None,
    units: dict[str, int] | None = None,
) -> None:
    """Let the dialler show this balance and these units."""
    account = subscription.account
    assert account is not None
    Reading.objects.create(account=account, slot=at, at=at, balance_minor=minor, units=units)
    if minor is not None:
        account.balance_minor, account.balance_at = minor, at
        account.save(update_fields=["balance_minor", "balance_at"])


def euros(minor: int) -> Money:
    return Money(minor, "EUR")


def test_credit_ends_when_the_rate_of_the_last_week_says_so(service: Subscription) -> None:
    for day in range(10):
        read(service, AT + timedelta(days=day), 20_00 - day * 1_00)
    shown = usage.of(service, at=AT + timedelta(days=9, hours=2))
    assert [point.used for point in shown.points[:2]] == [None, euros(1_00)]
    assert shown.forecast.used == euros(7_00)
    assert shown.forecast.ends_at == AT + timedelta(days=9 + 11)


def test_a_top_up_is_no_use_and_neither_is_what_was_taken_back(service: Subscription) -> None:
    read(service, AT, 20_00)
    grant(service, 25_00, CreditBucket.Kind.PAID, "order-line-0:credit", AT + HOUR)
    read(service, AT + timedelta(days=1), 43_00)
    bucket = CreditBucket.objects.get(kind="resetting")
    BucketEntry.objects.create(
        bucket=bucket,
        kind=BucketEntry.Kind.TAKEN_BACK,
        amount_minor=-18_00,
        cause="x",
        at=AT + timedelta(days=1, hours=1),
    )
    read(service, AT + timedelta(days=2), 24_00)
    shown = usage.of(service, at=AT + timedelta(days=4))
    assert [point.used for point in shown.points] == [None, euros(2_00), euros(1_00)]


def test_too_few_or_old_readings_foretell_nothing(service: Subscription) -> None:
    assert not usage.of(service, at=AT).forecast.known
    read(service, AT, 20_00)
    read(service, AT + 23 * HOUR, 10_00)
    assert not usage.of(service, at=AT + 23 * HOUR).forecast.known
    read(service, AT + 25 * HOUR, 9_00)
    assert usage.of(service, at=AT + 25 * HOUR).forecast.known
    assert not usage.of(service, at=AT + timedelta(days=5)).forecast.known


@pytest.mark.parametrize(("last", "far"), [(20_00, False), (19_99, True)])
def test_hardly_any_use_names_no_day(service: Subscription, last: int, far: bool) -> None:
    read(service, AT, 20_00)
    read(service, AT + timedelta(days=2), last)
    forecast = usage.of(service, at=AT + timedelta(days=2)).forecast
    assert (forecast.known, forecast.ends_at, forecast.far) == (True, None, far)


def test_the_first_days_are_shown_by_the_hour(service: Subscription) -> None:
    for hour in range(5):
        read(service, AT + hour * HOUR, 20_00 - hour)
        read(service, AT + hour * HOUR + timedelta(minutes=30), 20_00 - hour)
    shown = usage.of(service, at=AT + 5 * HOUR)
    assert (shown.by_hour, len(shown.points)) == (True, 5)


def test_the_chart_begins_at_zero_and_fills_its_box(service: Subscription) -> None:
    assert balance_charts.drawn(usage.of(service, at=AT).points) is None
    read(service, AT, 20_00)
    read(service, AT + HOUR, 5_00)
    chart = balance_charts.drawn(usage.of(service, at=AT + HOUR).points)
    assert chart is not None
    assert chart.line == "0,0 720,135"
    assert [(bar.y, bar.height) for bar in chart.bars] == [(45, 135)]


def test_services_together_have_one_curve(service: Subscription) -> None:
    account = copy.copy(service.account)
    assert account is not None
    account.pk, account.public_id, account.marker = None, uuid.uuid4(), uuid.uuid4()
    account.username, account.remote_id = "second", "second"
    account._state.adding = True
    account.save()
    second = copy.copy(service)
    second.account, second.account_id = account, account.pk
    grant(second, 5_00, CreditBucket.Kind.PAID, "gift-1", AT + timedelta(days=2))
    read(service, AT, 20_00)
    read(service, AT + timedelta(days=1), 18_00)
    read(second, AT + timedelta(days=1, hours=1), 10_00)
    read(second, AT + timedelta(days=3), 14_00)
    curve = usage.credit_of([service, second], at=AT + timedelta(days=4))
    assert [(each.balance.minor, each.used) for each in curve.points] == [
        (20_00, None),
        (28_00, euros(2_00)),
        (32_00, euros(1_00)),
    ]


def test_the_statement_burns_free_credit_first_and_adds_up(service: Subscription) -> None:
    grant(service, 25_00, CreditBucket.Kind.PAID, "order-line-0:credit", AT)
    read(service, AT + HOUR, 22_00)
    free, paid = statements.of(service)
    assert (free.kind, free.used, free.left) == ("resetting", euros(20_00), euros(0))
    assert (paid.kind, paid.used, paid.left) == ("paid", euros(3_00), euros(22_00))
    assert free.invoice == service.order_lines.get().order.invoice
    assert paid.invoice is None


def test_each_level_is_mailed_once_in_a_period(service: Subscription) -> None:
    for hour, left in enumerate((2_000, 401, 400, 390, 0, 0)):
        read(service, AT + hour * HOUR, 20_00, {"voice": left, "sms": 250})
        assert quotas.weigh(at=AT + hour * HOUR) == 1
    mails = Mail.objects.filter(template="units_used").order_by("pk")
    assert [mail.subject[:17] for mail in mails] == ["Voice: 80 percent", "Voice: 100 percen"]
    assert quotas.weigh(at=AT) == 0
    # The next period counts anew.
    period = SubscriptionPeriod.objects.get()
    SubscriptionPeriod.objects.create(
        subscription=service,
        index=1,
        start_on=period.end_on,
        end_on=period.end_on + timedelta(days=30),
        created_at=AT,
    )
    later = AT + timedelta(days=32)
    read(service, later, 20_00, {"voice": 0, "sms": 250})
    quotas.weigh(at=later)
    assert mails.all().count() == 3


def test_whoever_used_all_at_once_is_not_told_of_eighty_percent(service: Subscription) -> None:
    read(service, AT + HOUR, 0, {"voice": 2_000, "sms": 0})
    quotas.weigh(at=AT + HOUR)
    read(service, AT + 2 * HOUR, 0, {"voice": 2_000, "sms": 40})
    quotas.weigh(at=AT + 2 * HOUR)
    told = Mail.objects.filter(template__in=("units_used", "credit_used")).order_by("template")
    assert [(mail.template, "100 percent" in mail.subject) for mail in told] == [
        ("credit_used", True),
        ("units_used", True),
    ]
    assert "€20.00" in told[0].text


def test_nothing_is_told_while_the_new_allowance_is_on_its_way(service: Subscription) -> None:
    assert service.account is not None
    Job.objects.filter(account=service.account, kind=Job.Kind.CREDIT).update(
        finished_at=AT + 2 * HOUR
    )
    read(service, AT + HOUR, 0, {"voice": 0, "sms": 0})
    quotas.weigh(at=AT + HOUR)
    assert not Mail.objects.filter(template__in=("units_used", "credit_used")).exists()


def test_an_empty_reading_tells_nothing(service: Subscription) -> None:
    read(service, AT + HOUR, None)
    assert quotas.weigh(at=AT + HOUR) == 1
    assert usage.of(service, at=AT + HOUR).read_at is None
    assert not Mail.objects.filter(template="units_used").exists()
