"""Secrets at rest: sealed with the operator's keys, bound to the row they belong to."""

import json

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings


class Unsealable(Exception):
    """The bytes were sealed with another key, or for another row."""


def seal(text: str, *, purpose: str) -> bytes:
    """Encrypt with the first of FIELD_KEYS; only the same `purpose` opens it again."""
    return _keys().encrypt(json.dumps([purpose, text]).encode())


def unseal(sealed: bytes | memoryview, *, purpose: str) -> str:
    """Decrypt with any of FIELD_KEYS; raise Unsealable for a wrong key or a wrong purpose."""
    try:
        bound_to, text = json.loads(_keys().decrypt(bytes(sealed)))
    except (InvalidToken, ValueError) as error:
        raise Unsealable("This secret was not sealed with any of FIELD_KEYS.") from error
    if bound_to != purpose:
        raise Unsealable("This secret belongs to another row.")
    return str(text)


def _keys() -> MultiFernet:
    return MultiFernet([Fernet(key) for key in settings.FIELD_KEYS])
