"""Signing in as staff do: with a password, then with the code of an authenticator app."""

from __future__ import annotations

from allauth.mfa.totp.internal.auth import (
    TOTP,
    format_hotp_value,
    generate_totp_secret,
    hotp_value,
    yield_hotp_counters_from_time,
)
from django.test import Client
from django.urls import reverse

from billing.models import User

PASSWORD = "correct-horse-battery"


def person(role: str, email: str = "role@nordcast.example") -> User:
    return User.objects.create_user(email, PASSWORD, is_staff=True, role=role)


def signs_in(user: User) -> Client:
    client = Client()
    client.post(reverse("account_login"), {"login": user.email, "password": PASSWORD})
    return client


def shows_both(user: User) -> Client:
    """Sign in with a second factor that was set up before."""
    secret = generate_totp_secret()
    TOTP.activate(user, secret)
    client = signs_in(user)
    client.post(reverse("mfa_authenticate"), {"code": code(secret)})
    return client


def shows_again(user: User) -> Client:
    """Sign in so, and answer the question that comes before money and secrets."""
    client = shows_both(user)
    client.post(reverse("account_reauthenticate"), {"password": PASSWORD})
    return client


def code(secret: str) -> str:
    counter = next(iter(yield_hotp_counters_from_time()))
    return str(format_hotp_value(hotp_value(secret, counter)))
