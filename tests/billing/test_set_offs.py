"""What an exchange has set off is credited once: on its own invoice, not on the one before too."""

from __future__ import annotations

import contextlib

import pytest
from django.db import transaction
from hypothesis import Phase, settings

from billing import credit_notes, exchanges, invariants, rests
from billing.models import Invoice, Subscription
from packages.models import Price
from tests.billing import orders, renewing
from tests.billing.exchanging import (
    AT,
    agreed,
    balance,
    changed,
    credit,
    day,
    invoice_of,
    quoted,
    spent,
)
from tests.billing.orders import euros
from tests.properties import given, st

PATHS = st.lists(
    st.tuples(st.sampled_from(["starter", "business", "scale"]), st.integers(0, 4)), max_size=4
)


@pytest.fixture
def subscription(running_service: Subscription) -> Subscription:
    return running_service


@pytest.fixture
def bare(db: None) -> Subscription:
    """Return a service of a catalogue that includes no credit, so that none is kept or added."""
    orders.seeded(at=AT)
    Price.objects.update(credit_minor=0)
    return renewing.bought(at=AT)


def first() -> Invoice:
    return Invoice.objects.filter(kind="invoice").order_by("pk")[0]


def left(invoice: Invoice) -> list[int]:
    return [each.minor for each in rests.left_of(invoice).values()]


def test_the_first_invoice_keeps_what_was_used(subscription: Subscription) -> None:
    """53.52 of 79.00 went to the exchange's invoice, so 25.48 may be credited here."""
    up = changed(subscription, "scale", 10)
    assert left(first()) == [25_48, 49_00]
    assert rests.set_off_by(first()) == [invoice_of(up)]
    with pytest.raises(credit_notes.NotCreditable):
        credit(first(), 25_49)
    assert credit(first()).total_minor == 25_48 + 49_00
    assert credit(invoice_of(up)).total_minor == up.total_minor
    assert left(first()) == [53_52, 0]
    credit(first())
    assert balance(subscription) == 79_00 + 49_00 + up.total_minor
    assert invariants.violations() == []


def test_an_exchange_that_waits_for_its_payment_has_set_off_too(subscription: Subscription) -> None:
    waiting = agreed(subscription, "scale", 10)
    with pytest.raises(credit_notes.NotCreditable):
        credit(first(), 79_00)
    exchanges.withdraw(waiting, at=day(10), actor="user:7")
    assert credit(first(), 79_00).total_minor == 79_00
    assert invariants.violations() == []


def test_back_on_the_same_day_credits_both_invoices(bare: Subscription) -> None:
    up = changed(bare, "scale", 10)
    down = changed(bare, "starter", 10)
    notes = list(down.credit_notes.order_by("pk"))
    assert [note.corrects for note in notes] == [invoice_of(up), first()]
    assert [line.unit_minor for line in notes[0].lines.all()] == [168_68, -53_52]
    assert left(invoice_of(up)) == [0, 0]
    assert invariants.violations() == []


def test_up_and_back_and_up_on_one_day_is_credited_from_the_last(bare: Subscription) -> None:
    one = changed(bare, "scale", 10)
    two = changed(bare, "business", 10)
    three = changed(bare, "scale", 10)
    assert left(invoice_of(one)) == [0, 0]
    assert (two.order_line, left(invoice_of(three))) == (None, [168_68, -53_52])
    assert left(first()) == [25_48, 49_00]
    credit(invoice_of(three))
    credit(first())
    assert spent(bare) == -49_00
    assert invariants.violations() == []


def test_a_discount_falls_with_the_whole_charge(subscription: Subscription) -> None:
    up = changed(subscription, "scale", 10)
    credit(invoice_of(up), 100_00)
    note = credit(invoice_of(up), 15_16)
    assert [line.unit_minor for line in note.lines.all()] == [68_68, -53_52]
    assert left(invoice_of(up)) == [0, 0]
    assert invariants.violations() == []


def test_goodwill_is_not_given_back_twice(subscription: Subscription) -> None:
    """Of 168.68 for the rest 100.00 were credited: going back on that day is worth 68.68."""
    credit(invoice_of(changed(subscription, "scale", 10)), 100_00, offset=10)
    quote = quoted(subscription, "starter", 10)
    assert quote.unused == euros(68_68)
    changed(subscription, "starter", 10)
    assert spent(subscription) - 79_00 == quote.rest.minor + quote.kept.minor - 53_52
    assert invariants.violations() == []


def test_any_way_there_is_everything_is_given_back_once(subscription: Subscription) -> None:
    """After any exchanges, crediting all invoices from the last to the first returns all money."""

    @settings(max_examples=10, phases=[Phase.generate])
    @given(PATHS, st.integers(0, 60))
    def check(path: list[tuple[str, int]], percent: int) -> None:
        with transaction.atomic():
            offset = 1
            for slug, later in path:
                subscription.refresh_from_db()
                if slug != subscription.package.slug:
                    offset += later
                    changed(subscription, slug, offset)
            papers = list(Invoice.objects.filter(kind="invoice").order_by("-pk"))
            goodwill = papers[0].total.fraction(percent, 100).minor
            # The last one may have been credited by the last exchange.
            with contextlib.suppress(credit_notes.NotCreditable):
                credit(papers[0], goodwill or 1, offset=offset)
            for paper in papers:
                if any(left(paper)):
                    credit(paper, offset=offset)
            assert spent(subscription) == -49_00
            assert invariants.violations() == []
            transaction.set_rollback(True)

    check()
