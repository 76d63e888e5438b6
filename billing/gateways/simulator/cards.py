"""The test numbers: what the hosted page does with them, and what their saved card does later."""

from dataclasses import dataclass
from datetime import date
from typing import Literal

Outcome = Literal["succeeded", "declined", "authentication", "processing"]


@dataclass(frozen=True)
class Card:
    """A test card. `later` is the failure code of an automatic charge, None when it works."""

    number: str
    outcome: Outcome
    code: str | None = None
    later: str | None = None

    @property
    def last4(self) -> str:
        return self.number[-4:]

    @property
    def expires_on(self) -> date:
        return date(2034, 12, 31)


CARDS = [
    Card("4242424242424242", "succeeded"),
    Card("4000000000000002", "declined", code="card_declined"),
    Card("4000000000009995", "declined", code="insufficient_funds"),
    Card("4000002500003155", "authentication", later="authentication_required"),
    Card("4000000000000077", "processing"),
    Card("4000000000000259", "succeeded", later="insufficient_funds"),
    Card("4000000000000341", "succeeded", later="card_declined"),
]
_BY_NUMBER = {card.number: card for card in CARDS}


def find(number: str) -> Card | None:
    """The test card with this number, however it was grouped; None for any other number."""
    return _BY_NUMBER.get("".join(c for c in number if c.isdigit()))
