"""Errors as Stripe words them."""

import secrets
from typing import Any


class Refused(Exception):
    """An answer other than 200; `fields` are what its `error` holds."""

    def __init__(self, status: int, kind: str, **fields: Any) -> None:
        super().__init__(f"{status} {kind}")
        self.status = status
        self.error = {"type": kind, **{name: each for name, each in fields.items() if each}}


def invalid(message: str, *, code: str = "parameter_invalid_empty", param: str = "") -> Refused:
    """The request makes no sense."""
    return Refused(400, "invalid_request_error", message=message, code=code, param=param)


def missing(thing_id: str, *, param: str = "id") -> Refused:
    """No such object."""
    text = f"No such object: '{thing_id}'"
    kind = "invalid_request_error"
    return Refused(404, kind, message=text, code="resource_missing", param=param)


def declined(decline_code: str, intent: dict[str, Any]) -> Refused:
    """A card that was declined, with the PaymentIntent it left behind."""
    about = reason(decline_code)
    return Refused(402, "card_error", **about, payment_intent=intent)


def reason(decline_code: str) -> dict[str, str]:
    """What `last_payment_error` and an answer 402 say of a decline."""
    own = {"expired_card", "incorrect_cvc", "processing_error", "authentication_required"}
    code = decline_code if decline_code in own else "card_declined"
    advice = (
        "do_not_try_again" if decline_code in {"lost_card", "stolen_card"} else "try_again_later"
    )
    found = {"code": code, "decline_code": decline_code, "message": "Your card was declined."}
    return found if code == "authentication_required" else found | {"advice_code": advice}


def request_id() -> str:
    """What Stripe's support would ask for."""
    return f"req_{secrets.token_hex(7)}"
