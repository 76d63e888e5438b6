"""Another package: quoted, agreed on, paid or credited, and never credit for nothing."""

from __future__ import annotations

from datetime import timedelta

import pytest

from billing import cancellations, exchanges, invariants, quotes, subscriptions
from billing.models import (
    Brand,
    Exchange,
    Invoice,
    InvoiceLine,
    Mail,
    Subscription,
    TaxRate,
)
from packages.models import Package, Price
from packages.states import history_of
from provisioning.models import Job
from tests import payments, world
from tests.billing import orders, renewing
from tests.billing.exchanging import (
    AT,
    AT_END,
    DUE,
    START,
    agreed,
    balance,
    changed,
    credited,
    day,
    invoice_of,
    live,
    quoted,
    spent,
)
from tests.billing.orders import euros


@pytest.fixture
def subscription(running_service: Subscription) -> Subscription:
    return running_service


def test_more_is_quoted_by_the_day(subscription: Subscription) -> None:
    """21 of 31 days: 249.00 and 79.00 a month, 100.00 and 20.00 of credit included."""
    quote = quoted(subscription, "scale", 10)
    assert quote.days == 21
    assert (quote.rest, quote.unused) == (euros(168_68), euros(53_52))
    assert (quote.total, quote.granted, quote.kept) == (euros(115_16), euros(54_19), euros(0))
    assert quote.priced is not None
    assert quote.priced.sums.tax == euros(18_39)
    assert (quote.renews_on, quote.price.amount) == (DUE, euros(249_00))


def test_the_invoice_is_the_quote_and_its_payment_exchanges(subscription: Subscription) -> None:
    quote = quoted(subscription, "scale", 10)
    exchange = agreed(subscription, "scale", 10)
    invoice = invoice_of(exchange)
    assert quote.priced is not None
    assert (invoice.total, invoice.tax_minor) == (quote.total, quote.priced.sums.tax.minor)
    assert [line.unit_minor for line in invoice.lines.all()] == [168_68, -53_52]
    assert [line.description for line in invoice.lines.all()] == [
        "Scale: 21 of 31 days",
        "Business: 21 unused of 31 days",
    ]
    subscription.refresh_from_db()
    assert subscription.package.slug == "business"
    payments.pay(invoice, at=day(10))
    subscription.refresh_from_db()
    assert (subscription.package.slug, subscription.amount_minor) == ("scale", 249_00)
    assert (subscription.paid_until, subscription.anchor_on) == (DUE, START)
    job = Job.objects.filter(kind=Job.Kind.SET_LIMITS).order_by("pk")[1]
    assert (job.details["limits"]["tariff"], job.details["limits"]["channels"]) == ("volume", 100)
    assert credited() == 20_00 + 54_19
    assert Mail.objects.filter(template="exchange_done").count() == 1
    assert invariants.violations() == []
    live(11, 24)
    assert [each.total for each in renewing.renewals()[-1:]] == [euros(249_00)]


def test_less_is_credited_on_the_period_s_invoice(subscription: Subscription) -> None:
    """53.52 unused, 19.65 for the rest; 13.55 − 3.39 of the credit that was included stays."""
    quote = quoted(subscription, "starter", 10)
    assert (quote.rest, quote.unused, quote.kept) == (euros(19_65), euros(53_52), euros(10_16))
    assert quote.total == -euros(23_71)
    exchange = changed(subscription, "starter", 10)
    (note,) = exchange.credit_notes.all()
    assert (note.total, exchange.total) == (quote.credited, quote.total)
    assert note.corrects is not None
    assert note.corrects.order is not None
    assert balance(subscription) == 23_71
    assert (subscription.package.slug, credited()) == ("starter", 20_00)
    assert invariants.violations() == []


def test_there_and_back_on_one_day_sells_credit_at_its_price(subscription: Subscription) -> None:
    """What is left on the account was paid for, to the cent, however often somebody changes."""
    for _ in range(3):
        up = changed(subscription, "scale", 10)
        changed(subscription, "business", 10)
        assert up.total.minor > 0
    assert spent(subscription) - 79_00 == 3 * 54_19
    assert credited() == 20_00 + 3 * 54_19
    assert invariants.violations() == []


@pytest.mark.parametrize("path", [("starter", "business"), ("starter", "scale", "business")])
def test_changing_to_and_fro_over_days_gives_nothing_away(
    subscription: Subscription, path: tuple[str, ...]
) -> None:
    price = {"starter": 29_00, "business": 79_00, "scale": 249_00}
    held, cost, on = "business", 0, 0
    for index, slug in enumerate(path, start=1):
        changed(subscription, slug, index * 5)
        cost, on, held = cost + price[held] * (index * 5 - on), index * 5, slug
    cost += price[held] * (31 - on)
    # Each day at its package's price, but for the cents of rounding and the credit that was kept.
    extra = credited() - 20_00
    kept = sum(each.kept_minor for each in Exchange.objects.all())
    assert abs(spent(subscription) - kept - cost / 31) <= 3
    assert extra <= sum(each.granted_minor for each in Exchange.objects.all())
    assert invariants.violations() == []


def test_a_second_exchange_credits_the_first_one_s_invoice_first(
    subscription: Subscription,
) -> None:
    first = changed(subscription, "scale", 10)
    second = changed(subscription, "starter", 20)
    notes = list(second.credit_notes.order_by("pk"))
    assert [note.corrects for note in notes][0] == invoice_of(first)
    assert sum(note.total_minor for note in notes) == -second.total_minor
    assert invariants.violations() == []


def test_another_price_mode_leaves_the_end_of_the_period(subscription: Subscription) -> None:
    Brand.objects.update(prices_include_tax=False)
    with pytest.raises(quotes.NotExchangeable, match="tax has changed"):
        quoted(subscription, "scale", 10)


def test_another_tax_rate_leaves_the_end_of_the_period(subscription: Subscription) -> None:
    TaxRate.objects.create(country="DE", rate_bp=2000, valid_from=START + timedelta(days=5))
    with pytest.raises(quotes.NotExchangeable, match="tax has changed"):
        quoted(subscription, "scale", 10)
    assert quoted(subscription, "scale", 10, mode=AT_END).total == euros(0)


@pytest.mark.parametrize(("slug", "offset"), [("scale", 10), ("starter", 10)])
def test_net_mode_adds_up(db: None, slug: str, offset: int) -> None:
    orders.seeded(at=AT)
    Brand.objects.update(prices_include_tax=False)
    subscription = renewing.bought(at=AT)
    quote = quoted(subscription, slug, offset)
    net = quote.rest - quote.unused + quote.kept
    assert quote.total == net + net.percent(1900)
    changed(subscription, slug, offset)
    assert invariants.violations() == []


def test_without_tax_the_quote_is_without_it_too(db: None) -> None:
    orders.seeded(at=AT)
    user, customer = orders.buyer(at=AT, country="CH")
    order = orders.place(user, customer, "business", at=AT)
    payments.pay(order.invoice, at=AT)
    subscription = Subscription.objects.get()
    quote = quoted(subscription, "scale", 10)
    assert quote.priced is not None
    assert (quote.priced.sums.tax, quote.total) == (euros(0), quote.rest - quote.unused)
    # 79.00 with the home tax is 66.39 without: 21 of 31 days of that.
    assert quote.unused == euros(44_97)


def test_one_at_a_time(subscription: Subscription) -> None:
    agreed(subscription, "scale", 10)
    with pytest.raises(quotes.NotExchangeable, match="already agreed"):
        agreed(subscription, "starter", 10)
    exchange = Exchange.objects.get()
    exchanges.withdraw(exchange, at=day(11), actor="user:7")
    assert invoice_of(exchange).state == Invoice.State.CANCELLED
    agreed(subscription, "starter", 11)
    assert invariants.violations() == []


def test_an_open_renewal_blocks_it(subscription: Subscription) -> None:
    live(20, 24)
    with pytest.raises(quotes.NotExchangeable, match="still open"):
        quoted(subscription, "scale", 24)


def test_a_paid_next_period_leaves_its_end(subscription: Subscription) -> None:
    live(20, 24)
    payments.pay(renewing.renewals()[0], at=day(25))
    with pytest.raises(quotes.NotExchangeable, match="end of the period only"):
        quoted(subscription, "scale", 26)
    assert str(quoted(subscription, "scale", 26, mode=AT_END).on) == "2026-05-02"


def test_a_cancelled_or_suspended_service_is_not_exchanged(subscription: Subscription) -> None:
    cancellations.cancel(subscription, at=day(3), actor="user:7")
    with pytest.raises(quotes.NotExchangeable, match="cancelled"):
        quoted(subscription, "scale", 10)
    cancellations.withdraw(subscription, at=day(4), actor="user:7")
    subscription.refresh_from_db()
    subscriptions.suspend(subscription, cause="x", reason="test", at=day(5), actor="test")
    with pytest.raises(quotes.NotExchangeable, match="active"):
        quoted(subscription, "scale", 10)


def test_sums_that_were_not_seen_are_not_agreed_to(subscription: Subscription) -> None:
    quote = quoted(subscription, "scale", 10)
    Price.objects.filter(package__slug="scale", cycle="monthly").update(amount_minor=299_00)
    with pytest.raises(exchanges.Changed):
        exchanges.place(
            quote, seen=quote.fingerprint, placed_by=None, language="en", at=day(10), actor="u"
        )
    with pytest.raises(exchanges.Changed):
        exchanges.place(
            quote, seen=quote.fingerprint, placed_by=None, language="en", at=day(11), actor="u"
        )
    assert not Exchange.objects.exists()


def test_customers_see_what_staff_allow(subscription: Subscription) -> None:
    assert {each.package.slug for each in quotes.targets(subscription)} == {
        *("starter", "scale", "business")
    }
    assert all(each.currency == "EUR" for each in quotes.targets(subscription))
    Package.objects.get(slug="business").exchange_targets.clear()
    assert quotes.targets(subscription) == []
    assert world.price("fax-office") in quotes.any_target(subscription)


def test_who_exchanged_what_is_on_record(subscription: Subscription) -> None:
    exchange = changed(subscription, "starter", 10)
    assert [(each.after, each.actor) for each in history_of(exchange)] == [
        ("pending", "user:7"),
        ("done", "user:7"),
    ]
    assert not InvoiceLine.objects.filter(kind="exchange").exists()
