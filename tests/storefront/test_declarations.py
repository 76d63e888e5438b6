"""Cancelling and withdrawing without signing in: received, confirmed, done where it is certain."""

from __future__ import annotations

import re
import uuid

import pytest
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from pytest_django.fixtures import Settings

from billing.models import Brand, Customer, Declaration, Mail, Subscription, User
from packages.states import history_of
from tests.clock import Clock
from tests.storefront.services import running_service

CANCEL, WITHDRAW = "storefront:cancel_contract", "storefront:withdraw_contract"


def declare(client: Client, page: str = CANCEL, **said: str) -> HttpResponse:
    form = {
        "key": str(uuid.uuid4()),
        "name": "Ada Muster",
        "email": "ada@shop.test",
        "contract": "my account",
        **said,
    }
    answer = client.post(reverse(page), form)
    assert isinstance(answer, HttpResponse)
    return answer


@pytest.fixture
def service(ada: tuple[User, Customer], seeded: Clock) -> Subscription:
    return running_service(ada[1], at=seeded.now())


def test_a_consumer_cancels_without_signing_in(client: Client, service: Subscription) -> None:
    answer = declare(client)
    assert answer.status_code == 302
    service.refresh_from_db()
    assert str(service.ends_on) == "2026-04-02"
    row = Declaration.objects.get()
    assert (row.state, row.subscription) == (Declaration.State.DONE, service)
    mail = Mail.objects.get(template="declaration_received")
    assert mail.recipient == "ada@shop.test"
    assert "2 March 2026" in mail.subject
    assert "The contract ends when 2 April 2026 begins." in mail.text
    assert not Mail.objects.filter(template="declaration_waits").exists()
    shown = client.get(answer["Location"]).content.decode()
    assert "We have received your cancellation" in shown
    assert "2 March 2026" in shown
    # Whoever declared sees no more than what they said themselves.
    assert "2 April 2026" not in shown


def test_the_same_form_sent_twice_is_received_once(client: Client, service: Subscription) -> None:
    key = str(uuid.uuid4())
    first, second = declare(client, key=key), declare(client, key=key)
    assert first["Location"] == second["Location"]
    assert Declaration.objects.count() == 1
    assert Mail.objects.filter(template="declaration_received").count() == 1


def test_a_stranger_ends_nobodys_service(client: Client, service: Subscription) -> None:
    account = service.account
    assert account is not None
    declare(client, email="eve@example.com", contract=account.username)
    service.refresh_from_db()
    assert service.ends_on is None
    row = Declaration.objects.get()
    assert (row.state, row.subscription) == (Declaration.State.RECEIVED, None)
    assert Mail.objects.get(template="declaration_waits").recipient == "support@nordcast.example"
    assert "2 April" not in Mail.objects.get(template="declaration_received").text


def test_of_two_services_the_named_one_is_cancelled(
    client: Client, service: Subscription, ada: tuple[User, Customer], seeded: Clock
) -> None:
    other = running_service(ada[1], at=seeded.now(), slug="starter", order=2)
    account = other.account
    assert account is not None
    declare(client, contract="one of my two")
    assert Declaration.objects.get().subscription is None
    declare(client, contract=f"account {account.username.upper()}.")
    service.refresh_from_db()
    other.refresh_from_db()
    assert (service.ends_on, str(other.ends_on)) == (None, "2026-04-02")


@pytest.mark.parametrize(
    "said",
    [
        {"extraordinary": "yes", "cause": "It never worked."},
        {"wished_on": "2027-01-01"},
    ],
    ids=["for good cause", "to a later day"],
)
def test_what_a_machine_cannot_judge_waits_for_staff(
    client: Client, service: Subscription, said: dict[str, str]
) -> None:
    declare(client, **said)
    service.refresh_from_db()
    assert service.ends_on is None
    assert Declaration.objects.get().state == Declaration.State.RECEIVED
    assert Mail.objects.filter(template="declaration_waits").count() == 1


def test_a_withdrawal_is_confirmed_and_waits(client: Client, service: Subscription) -> None:
    assert declare(client, WITHDRAW).status_code == 302
    service.refresh_from_db()
    assert service.ends_on is None
    row = Declaration.objects.get()
    assert (row.kind, row.state, row.subscription) == ("withdrawal", "received", service)
    mail = Mail.objects.get(template="declaration_received")
    assert "We have received your withdrawal" in mail.text
    assert "within 14 days" in mail.text


def test_a_mistake_is_said_and_nothing_is_received(client: Client, service: Subscription) -> None:
    answer = declare(client, extraordinary="yes", email="nobody", contract="")
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "Please say what the good cause is." in page
    assert 'value="nobody"' in page
    assert "Please fill this in." in page
    assert "Enter a valid e-mail address." in page
    assert not Declaration.objects.exists()


def test_one_address_gets_a_few_receipts_an_hour(client: Client, service: Subscription) -> None:
    answers = [declare(client, email="eve@example.com").status_code for _ in range(6)]
    assert answers == [302] * 5 + [429]
    assert Declaration.objects.count() == 5


@pytest.mark.parametrize(("proxies", "other"), [(1, 302), (0, 429)])
def test_behind_a_proxy_a_limit_is_for_the_visitor_and_not_for_the_proxy(
    client: Client, service: Subscription, settings: Settings, proxies: int, other: int
) -> None:
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = proxies

    def from_(address: str, name: str) -> int:
        # What a client says of itself comes first; the proxy adds what it has seen.
        client.defaults["HTTP_X_FORWARDED_FOR"] = f"198.51.100.{name}, {address}"
        return declare(client, email=f"eve-{name}@example.com").status_code

    answers = [from_("203.0.113.1", str(number)) for number in range(21)]
    assert answers == [302] * 20 + [429]
    assert from_("203.0.113.2", "99") == other


def test_the_buttons_are_on_every_page_in_the_words_of_the_law(
    client: Client, seeded: Clock
) -> None:
    home = client.get("/", headers={"accept-language": "de"}).content.decode()
    assert "Verträge hier kündigen" in home
    assert "Vertrag widerrufen" in home
    for page, button in ((CANCEL, "Jetzt kündigen"), (WITHDRAW, "Widerruf bestätigen")):
        shown = client.get(reverse(page), headers={"accept-language": "de"}).content.decode()
        assert re.search(rf"<button[^>]*>{button}</button>", shown)


def test_no_line_ends_within_a_word_with_a_hyphen(client: Client, seeded: Clock) -> None:
    assert "We confirm at once by e-mail" in client.get(reverse(CANCEL)).content.decode()


def test_a_shop_without_such_consumers_has_no_such_pages(client: Client, seeded: Clock) -> None:
    Brand.objects.update(german_consumers=False)
    assert client.get(reverse(CANCEL)).status_code == 404
    assert declare(client, WITHDRAW).status_code == 404
    assert "Cancel contracts here" not in client.get("/").content.decode()
    assert not Declaration.objects.exists()


def test_staff_answer_a_declaration_once(admin_client: Client, service: Subscription) -> None:
    declare(admin_client, WITHDRAW)
    row = Declaration.objects.get()
    deed = f"/admin/billing/declaration/{row.pk}/do/carried-out/"
    assert "within 14 days" in admin_client.get(deed).content.decode()
    assert admin_client.post(deed, {"proof": "Credit note G-2026-0001"}).status_code == 302
    row.refresh_from_db()
    assert row.state == Declaration.State.DONE
    assert history_of(row).last().reason == "Credit note G-2026-0001"  # type: ignore[union-attr]
    refuse = f"/admin/billing/declaration/{row.pk}/do/refuse/"
    admin_client.post(refuse, {"reason": "changed our mind"})
    row.refresh_from_db()
    assert row.state == Declaration.State.DONE
