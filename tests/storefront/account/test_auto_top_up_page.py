"""The page of the standing order for credit: everything is read before anything is agreed to."""

import html
import re
from datetime import datetime

import pytest
from django.db import transaction
from django.http import HttpResponse
from django.urls import reverse

from billing import auto_top_ups
from billing.models import AutoTopUp, PaymentMethod, Subscription
from packages.states import record_change
from provisioning.models import Account
from tests.storefront.account.people import Person

SUMS = {"below": "10", "amount": "50", "month": "120"}


@pytest.fixture
def card(anna: Person, now: datetime) -> PaymentMethod:
    method = PaymentMethod.objects.create(
        customer=anna.customer,
        gateway="simulated",
        account="demo",
        token_sealed=b"x",
        token_digest=b"x",
        kind="card",
        brand="Visa",
        last4="4242",
        is_default=True,
        created_at=now,
    )
    record_change(method, before="", at=now, actor="test", reason="kept")
    return method


def url_of(person: Person) -> str:
    return reverse("storefront:auto_top_up", args=[person.subscription.public_id])


def page(person: Person, **query: str) -> str:
    return person.browser().get(url_of(person), query).content.decode()


def post(person: Person, text: str = "", **changes: str) -> HttpResponse:
    hidden = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', text)
    form = {name: html.unescape(value) for name, value in hidden}
    boxes = {"standing": "on", "terms": "on", "early_start": "on", "action": "on"}
    answer = person.browser().post(url_of(person), {**form, **boxes, **changes})
    assert isinstance(answer, HttpResponse)
    return answer


def test_it_is_read_then_ordered_and_kept_in_the_words_that_were_read(
    anna: Person, card: PaymentMethod
) -> None:
    text = page(anna, **SUMS)
    assert "Order automatic top-up with obligation to pay" in text
    assert post(anna, text).status_code == 302
    auto = AutoTopUp.objects.get()
    assert (auto.below_minor, auto.amount_minor, auto.month_minor) == (10_00, 50_00, 120_00)
    assert set(auto.consent) == {"standing", "terms", "early_start"}
    words = auto.consent["standing"]["text"]
    assert "whenever its credit falls below €10.00" in words
    assert "Visa •••• 4242" in words
    assert words in html.unescape(text)
    shown = page(anna)
    assert "Below €10.00 we buy €50.00, at most €120.00" in shown


def test_without_a_saved_method_there_is_nothing_to_order(anna: Person) -> None:
    assert "needs a saved payment method" in page(anna, **SUMS)
    assert post(anna, **SUMS).status_code == 422
    assert not AutoTopUp.objects.exists()


@pytest.mark.parametrize(
    "changes",
    [
        {"standing": ""},
        {"terms": ""},
        {"early_start": ""},
        {"amount": "60"},
        {"seen": "something else"},
        {"amount": "9.99"},
        {"month": "49"},
        {"below": "0"},
        {"below": "abc"},
    ],
)
def test_nothing_is_kept_that_was_not_read_and_agreed_to(
    anna: Person, card: PaymentMethod, changes: dict[str, str]
) -> None:
    assert post(anna, page(anna, **SUMS), **changes).status_code == 422
    assert not AutoTopUp.objects.exists()


def test_it_is_switched_off_with_one_button(anna: Person, card: PaymentMethod) -> None:
    post(anna, page(anna, **SUMS))
    service = reverse("storefront:service", args=[anna.subscription.public_id])
    assert "Change automatic top-up" in anna.browser().get(service).content.decode()
    assert post(anna, action="off").status_code == 302
    assert AutoTopUp.objects.get().state == AutoTopUp.State.OFF


def test_the_sum_for_mails_is_set_here(anna: Person) -> None:
    for typed, kept in (("7.50", 750), ("0", 0), ("", None)):
        assert post(anna, action="low", low=typed).status_code == 302
        assert Subscription.objects.get(pk=anna.subscription.pk).low_minor == kept
    assert post(anna, action="low", low="-1").status_code == 422


def test_a_strangers_standing_order_is_out_of_reach(anna: Person, bert: Person) -> None:
    assert bert.browser().get(url_of(anna)).status_code == 404
    assert bert.browser().post(url_of(anna), {"action": "off"}).status_code == 404


def test_one_that_a_declined_charge_ended_says_so_and_one_switched_off_does_not(
    anna: Person, card: PaymentMethod, now: datetime
) -> None:
    post(anna, page(anna, **SUMS))
    post(anna, action="off")
    assert "a charge was declined" not in page(anna)
    post(anna, page(anna, **SUMS))
    with transaction.atomic():
        auto = AutoTopUp.objects.select_for_update().get()
        reason = f"{auto_top_ups.DECLINED}card_declined"
        auto.move(AutoTopUp.State.OFF, at=now, actor=auto_top_ups.ACTOR, reason=reason)
    assert "because a charge was declined" in page(anna)
    service = reverse("storefront:service", args=[anna.subscription.public_id])
    assert "a charge was declined" in anna.browser().get(service).content.decode()


def test_a_paused_one_is_named_where_the_credit_is_low(anna: Person, card: PaymentMethod) -> None:
    post(anna, page(anna, **SUMS))
    Account.objects.filter(pk=anna.account.pk).update(balance_minor=1_00)
    overview = reverse("storefront:dashboard")
    text = anna.browser().get(overview).content.decode()
    assert "Top up Starter" not in text
    assert "is paused" not in text
    PaymentMethod.objects.update(is_default=False)
    text = anna.browser().get(overview).content.decode()
    assert "Automatic top-up of Starter is paused" in text
    assert "no payment method that may be charged automatically" in text
