"""The pages of the second factor: what is offered, and in whose words."""

import re

from allauth.account.models import EmailAddress
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.test import Client
from django.urls import reverse

from tests.second_factor import PASSWORD, code, signs_in
from tests.storefront.account.people import Person

STEP = "mfa_authenticate"


def test_the_key_can_be_read_and_copied(anna: Person) -> None:
    EmailAddress.objects.update_or_create(
        user=anna.user, email=anna.user.email, defaults={"verified": True}
    )
    client = signs_in(anna.user)
    client.post(reverse("account_reauthenticate"), {"password": PASSWORD})
    page = client.get(reverse("mfa_activate_totp")).content.decode()
    assert re.search(r'id="authenticator_secret" data-copy-source>[A-Z2-7]{32}<', page)


def test_who_has_no_key_is_offered_none(anna: Person) -> None:
    secret = generate_totp_secret()
    TOTP.activate(anna.user, secret)
    client = signs_in(anna.user)
    page = client.get(reverse(STEP)).content.decode()
    assert "one of your recovery codes" in page
    assert "Use a security key" not in page
    assert client.post(reverse(STEP), {"code": code(secret)}).status_code == 302


def test_who_is_somebody_else_begins_again(anna: Person) -> None:
    TOTP.activate(anna.user, generate_totp_secret())
    client: Client = signs_in(anna.user)
    assert client.get(reverse(STEP)).status_code == 200
    answer = client.post(reverse("account_logout"), {"next": reverse("account_login")})
    assert answer.headers["Location"] == reverse("account_login")
    assert client.get(reverse(STEP)).status_code == 302
