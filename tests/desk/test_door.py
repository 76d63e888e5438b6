"""Who gets into the desk, what their role lets them do, and when they show who they are again."""

from __future__ import annotations

import re

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.contrib import admin
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from billing import demo, roles
from billing.models import Coupon, Mail, Payment, User
from packages.desk.door import OURS
from provisioning.models import Server
from provisioning.simulator.simulator import Simulator
from storefront.accounts import SecondFactorAdapter
from tests.clock import Clock
from tests.desk import pages
from tests.second_factor import PASSWORD, code, person, shows_again, signs_in

INDEX = "/admin/"


@pytest.fixture
def guarded(settings: Settings) -> None:
    settings.STAFF_GUARDED = True


def lands(client: Client, address: str) -> tuple[int, str]:
    """Follow the redirects; return the last answer's status and path."""
    answer = client.get(address, follow=True)
    chain = answer.redirect_chain
    return answer.status_code, (chain[-1][0] if chain else address).split("?")[0]


def test_the_desk_has_no_sign_in_of_its_own(shop: Simulator) -> None:
    visitor = Client()
    assert lands(visitor, INDEX) == (200, reverse("account_login"))
    staff = {"username": demo.STAFF[0], "password": demo.STAFF[1]}
    visitor.post("/admin/login/", staff)
    assert lands(visitor, INDEX) == (200, reverse("account_login"))


def test_a_customer_is_not_let_in(shop: Simulator) -> None:
    customer = User.objects.create_user("someone@example.com", PASSWORD)
    assert lands(signs_in(customer), INDEX)[0] == 403


def test_a_password_alone_opens_nothing(shop: Simulator, guarded: None) -> None:
    client = signs_in(person("owner"))
    for address in (INDEX, "/admin/billing/invoice/", "/admin/jsi18n/", "/admin/password_change/"):
        assert lands(client, address) == (200, reverse("mfa_index"))


def test_a_second_factor_opens_the_desk(shop: Simulator, guarded: None) -> None:
    user, secret = person("owner"), generate_totp_secret()
    TOTP.activate(user, secret)
    client = signs_in(user)
    assert lands(client, INDEX) == (200, reverse("mfa_authenticate"))
    client.post(reverse("mfa_authenticate"), {"code": code(secret)})
    assert lands(client, INDEX) == (200, INDEX)


def test_a_seed_lies_sealed_in_the_database(shop: Simulator) -> None:
    secret = generate_totp_secret()
    TOTP.activate(person("owner"), secret)
    stored = Authenticator.objects.get().data["secret"]
    assert secret not in stored
    assert SecondFactorAdapter().decrypt(stored) == secret


def test_a_factor_set_up_meanwhile_is_shown_once(shop: Simulator, guarded: None) -> None:
    user, secret = person("owner"), generate_totp_secret()
    client = signs_in(user)
    TOTP.activate(user, secret)
    assert lands(client, INDEX) == (200, reverse("mfa_reauthenticate"))
    client.post(reverse("mfa_reauthenticate"), {"code": code(secret)})
    assert lands(client, INDEX) == (200, INDEX)


def test_money_asks_again_who_is_there(
    guarded: None, transfer: Payment, clock: Clock, shop: Simulator
) -> None:
    user, secret = person("billing"), generate_totp_secret()
    TOTP.activate(user, secret)
    client = signs_in(user)
    client.post(reverse("mfa_authenticate"), {"code": code(secret)})
    deed = f"/admin/billing/payment/{transfer.pk}/do/arrived/"
    clock.pass_by(minutes=10)
    sent = client.post(deed, {"amount": "128.00"})
    assert sent.status_code == 302
    assert "reauthenticate" in sent.headers["Location"]
    transfer.refresh_from_db()
    assert transfer.state == Payment.State.CREATED
    # What was sent is carried on with once they have shown it.
    client.post(sent.headers["Location"], {"code": code(secret), "password": PASSWORD})
    transfer.refresh_from_db()
    assert transfer.state == Payment.State.SUCCEEDED


def test_whoever_sets_anothers_password_shows_again_who_they_are(
    guarded: None, clock: Clock, shop: Simulator
) -> None:
    owner, other = shows_again(person("owner")), person("support", "other@nordcast.example")
    address = reverse("admin:auth_user_password_change", args=[other.pk])
    clock.pass_by(minutes=10)
    for answer in (owner.get(address), owner.post(address, {"password1": "x", "password2": "x"})):
        assert "reauthenticate" in answer.headers["Location"]
    other.refresh_from_db()
    assert other.check_password(PASSWORD)


@pytest.mark.parametrize(
    ("role", "address", "status"),
    [
        ("reader", "/admin/billing/invoice/", 200),
        ("reader", "/admin/billing/user/", 403),
        ("reader", "/admin/billing/gatewayevent/", 403),
        ("support", "/admin/billing/customer/", 200),
        ("support", "/admin/billing/gatewayevent/", 403),
        ("billing", "/admin/billing/gatewayevent/", 200),
        ("billing", "/admin/billing/user/add/", 403),
        ("owner", "/admin/billing/user/add/", 200),
        ("", "/admin/billing/invoice/", 403),
    ],
)
def test_a_role_opens_its_pages(shop: Simulator, role: str, address: str, status: int) -> None:
    client = Client()
    client.force_login(person(role))
    answer = client.get(address)
    assert answer.status_code == status
    told = "Your role at the desk does not include this." in answer.content.decode()
    assert told == (status == 403 and role != "")


def test_a_reader_sees_what_is_kept_without_hints_for_typing(shop: Simulator) -> None:
    client = Client()
    client.force_login(person("reader"))
    html = client.get(pages.address(Coupon.objects.exclude(percent_bp=None)[0])).content.decode()
    assert "1000 is 10" not in html
    html = client.get(pages.address(Server.objects.all()[0])).content.decode()
    assert '<pre class="desk-code">{' in html


@pytest.mark.parametrize(("role", "status"), [("reader", 403), ("support", 403), ("billing", 200)])
def test_a_role_may_do_its_deeds(transfer: Payment, role: str, status: int) -> None:
    client = Client()
    client.force_login(person(role))
    page = client.get(f"/admin/billing/payment/{transfer.pk}/change/")
    assert page.status_code == 200
    deed = f"/admin/billing/payment/{transfer.pk}/do/arrived/"
    assert bool(re.search(deed, page.content.decode())) == (status == 200)
    assert client.get(deed).status_code == status


def test_a_role_that_is_switched_off_may_nothing(shop: Simulator) -> None:
    user = person("owner")
    assert user.has_perm("billing.change_invoice")
    user.is_active = False
    assert not user.has_perm("billing.change_invoice")
    user.is_active, user.is_staff = True, False
    assert not user.has_perm("billing.change_invoice")


def test_each_role_changes_all_that_the_one_below_does() -> None:
    assert roles.SUPPORT < roles.BILLING
    assert not any(roles.may(User.Role.READER, f"billing.change_{name}") for name in ("customer",))


def test_a_lost_factor_is_taken_away_with_a_reason_and_told(shop: Simulator, guarded: None) -> None:
    owner = shows_again(person("owner"))
    lost = person("support", "lost@nordcast.example")
    TOTP.activate(lost, generate_totp_secret())
    pages.press(owner, lost, "second-factor", reason="called back at the office")
    assert not Authenticator.objects.filter(user=lost).exists()
    assert pages.last_change(lost).reason == "called back at the office"
    assert "Second factor taken away" in Mail.objects.get(recipient=lost.email).subject
    assert lands(signs_in(lost), INDEX) == (200, reverse("mfa_index"))
    assert pages.offered(owner, lost) == []


def test_the_only_owner_is_let_in_by_a_command(
    shop: Simulator, capsys: pytest.CaptureFixture[str]
) -> None:
    owner = person("owner")
    TOTP.activate(owner, generate_totp_secret())
    call_command("forget_second_factor", owner.email.upper(), reason="lost the phone")
    assert not Authenticator.objects.exists()
    for email in (owner.email, "nobody@nordcast.example"):
        with pytest.raises(CommandError, match=email):
            call_command("forget_second_factor", email, reason="again")


def test_the_desk_has_no_pages_of_libraries(shop: Simulator) -> None:
    assert {model._meta.app_label for model in admin.site._registry} == set(OURS)
