"""Hand a password over once: behind a link whose token is the only key to it."""

import base64
import hashlib
import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from cryptography.fernet import Fernet
from django.db import transaction
from django.db.models import QuerySet

from provisioning.models import Account, OneTimeSecret

VALID_FOR = timedelta(hours=72)


class Gone(Exception):
    """The link was used, has expired, or never existed; nothing tells which."""


@dataclass(frozen=True, slots=True)
class Login:
    """What a customer needs to sign in at the dialler."""

    address: str
    username: str
    password: str = field(repr=False)


def create(account: Account, password: str, *, cause: str, at: datetime) -> str:
    """Store the password so that only the returned token opens it, once, for 72 hours.

    The database keeps a digest of the token and a text that the token alone decrypts. A second
    call for the same cause raises IntegrityError.
    """
    token = secrets.token_urlsafe(32)
    OneTimeSecret.objects.create(
        token_digest=_digest(token),
        account=account,
        cause=cause,
        ciphertext=_cipher(token).encrypt(password.encode()),
        expires_at=at + VALID_FOR,
    )
    return token


def exists(token: str, *, at: datetime) -> bool:
    """Say whether the link can still be opened; opens nothing, so mail scanners may call it."""
    return _usable(at).filter(token_digest=_digest(token)).exists()


def reveal(token: str, *, at: datetime) -> Login:
    """Return the login and destroy the stored secret; raise Gone ever after. Locks the row."""
    with transaction.atomic():
        row = (
            _usable(at)
            .select_for_update(of=("self",))
            .select_related("account__server")
            .filter(token_digest=_digest(token))
            .first()
        )
        if row is None or row.ciphertext is None:
            raise Gone
        password = _cipher(token).decrypt(bytes(row.ciphertext)).decode()
        row.ciphertext, row.opened_at = None, at
        row.save(update_fields=["ciphertext", "opened_at"])
    server = row.account.server
    return Login(server.login_url, row.account.username, password)


def destroy_expired(*, at: datetime) -> int:
    """Forget the texts of links nobody opened in time; return how many."""
    stale = OneTimeSecret.objects.filter(expires_at__lte=at, ciphertext__isnull=False)
    return stale.update(ciphertext=None)


def _usable(at: datetime) -> QuerySet[OneTimeSecret]:
    return OneTimeSecret.objects.filter(expires_at__gt=at, ciphertext__isnull=False)


def _digest(token: str) -> bytes:
    return hashlib.sha256(b"digest:" + token.encode()).digest()


def _cipher(token: str) -> Fernet:
    key = hashlib.sha256(b"key:" + token.encode()).digest()
    return Fernet(base64.urlsafe_b64encode(key))
