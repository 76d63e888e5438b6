"""Why a payment failed, in our words: one code for all gateways, one sentence for the customer."""

from enum import Enum

from django.utils.translation import gettext_lazy as _

MESSAGES = {
    "card_declined": _(
        "The card was declined. No money was taken. Please use another card or ask your bank."
    ),
    "insufficient_funds": _(
        "The account did not have enough funds. No money was taken. "
        "Please use another method or try again later."
    ),
    "authentication_required": _(
        "Your bank asks you to confirm this payment. No money was taken. "
        "Please pay again while you are signed in."
    ),
    "expired_card": _("The card has expired. No money was taken. Please use another card."),
    "declined_for_now": _(
        "Your bank declined this payment without a reason. No money was taken. "
        "Please try again later, use another method or ask your bank."
    ),
    "limit_exceeded": _(
        "This payment is above a limit of your card or account. No money was taken. "
        "Please ask your bank to raise it, or use another method."
    ),
    "wrong_details": _(
        "The number or the security code was not accepted. No money was taken. "
        "Please check what you typed, or use another method."
    ),
    "not_supported": _(
        "This card or account cannot be used for this payment. No money was taken. "
        "Please use another method."
    ),
    "mandate_gone": _(
        "The permission to debit this account is no longer valid. No money was taken. "
        "Please pay again and give it anew, or use another method."
    ),
    "method_gone": _("The saved method can no longer be used. Please choose another one."),
    "amount_too_small": _(
        "This sum is smaller than can be paid this way. No money was taken. "
        "Please choose another way to pay, or pay it together with another invoice."
    ),
    "payment_failed": _("The payment did not go through. No money was taken. Please try again."),
}


class Verdict(Enum):
    """What an automatic charge does about a failure."""

    LATER = "the same method may be tried again"
    NEVER = "this method is not tried again"
    OTHERWISE = "this sum is not tried again with this method, which stays as good as it was"
    CUSTOMER = "the customer must confirm it with the bank; nobody else can"


VERDICTS = {
    "card_declined": Verdict.NEVER,
    "insufficient_funds": Verdict.LATER,
    "authentication_required": Verdict.CUSTOMER,
    "expired_card": Verdict.NEVER,
    "declined_for_now": Verdict.LATER,
    "limit_exceeded": Verdict.LATER,
    "wrong_details": Verdict.NEVER,
    "not_supported": Verdict.NEVER,
    "mandate_gone": Verdict.NEVER,
    "method_gone": Verdict.NEVER,
    "amount_too_small": Verdict.OTHERWISE,
    "payment_failed": Verdict.LATER,
}


def known(code: str | None) -> str | None:
    """The code itself, `payment_failed` for one we do not know, None for none."""
    if not code:
        return None
    return code if code in MESSAGES else "payment_failed"


def message(code: str | None) -> str | None:
    """The sentence for a code in the language active now; None without a code."""
    found = known(code)
    return str(MESSAGES[found]) if found else None
