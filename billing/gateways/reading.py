"""Reading what a gateway writes, strictly: an odd answer is no answer."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, TypeVar

from billing.gateways.base import BadWebhook, Unavailable

# What reading a wrong answer raises; such an answer says nothing about the outcome.
UNREADABLE = (KeyError, TypeError, ValueError, AttributeError, OverflowError, OSError, IndexError)
T = TypeVar("T")


def answer(reader: Callable[[], T]) -> T:
    """What `reader` makes of an answer. Raises Unavailable for what is unreadable."""
    try:
        return reader()
    except UNREADABLE as error:
        raise Unavailable(f"unreadable answer: {error!r}") from error


def webhook(reader: Callable[[], T]) -> T:
    """What `reader` makes of a verified webhook. Raises BadWebhook("malformed")."""
    try:
        return reader()
    except UNREADABLE as error:
        raise BadWebhook("malformed") from error


def text(value: Any) -> str:
    """A name or id. This and the readers below raise one of UNREADABLE."""
    # Ids and names end in text columns: PostgreSQL refuses NUL, and 255 is what they hold.
    if not isinstance(value, str) or not 0 < len(value) <= 255 or not value.isprintable():
        raise ValueError("not a short printable text")
    return value


def url(value: Any) -> str:
    """A web address; those of hosted pages are long."""
    if not isinstance(value, str) or not value.startswith(("http://", "https://")):
        raise ValueError("not a web address")
    if len(value) > 2000 or not value.isprintable():
        raise ValueError("not a web address")
    return value


def moment(seconds: Any) -> datetime:
    """Unix seconds as an instant."""
    return datetime.fromtimestamp(seconds, tz=UTC)


def one_of(value: Any, allowed: tuple[Any, ...]) -> Any:
    """The value, if it is one of those."""
    if value not in allowed:
        raise ValueError(f"unknown value {value!r}")
    return value


def flag(value: Any) -> bool:
    """A real yes or no."""
    if not isinstance(value, bool):
        raise TypeError("neither true nor false")
    return value
