"""Why Stripe says that a payment failed, in the words of billing/gateways/failures.py.

https://docs.stripe.com/declines/codes and /error-codes (read November 2026). Which ones may be
tried again is the issuer's advice first (`advice_code`), then this table. Nobody is told that a
card was reported lost or stolen: the person at the keyboard may be the thief.
"""

from typing import Any

CODES = {
    "authentication_required": "authentication_required",
    "authentication_not_handled": "authentication_required",
    "payment_intent_authentication_failure": "authentication_required",
    "offline_pin_required": "authentication_required",
    "online_or_offline_pin_required": "authentication_required",
    "insufficient_funds": "insufficient_funds",
    "charge_exceeds_source_limit": "insufficient_funds",
    "balance_insufficient": "insufficient_funds",
    "card_velocity_exceeded": "limit_exceeded",
    "withdrawal_count_limit_exceeded": "limit_exceeded",
    "charge_exceeds_transaction_limit": "limit_exceeded",
    "charge_exceeds_weekly_limit": "limit_exceeded",
    "expired_card": "expired_card",
    "invalid_expiry_year": "expired_card",
    "incorrect_number": "wrong_details",
    "invalid_number": "wrong_details",
    "incorrect_cvc": "wrong_details",
    "invalid_cvc": "wrong_details",
    "incorrect_zip": "wrong_details",
    "incorrect_address": "wrong_details",
    "invalid_expiry_month": "wrong_details",
    "invalid_account": "wrong_details",
    "bank_account_unusable": "wrong_details",
    "account_closed": "method_gone",
    "bank_account_restricted": "method_gone",
    "resource_missing": "method_gone",
    "no_account": "method_gone",
    "debit_not_authorized": "mandate_gone",
    "mandate_invalid": "mandate_gone",
    "payment_method_invalid_mandate": "mandate_gone",
    "payment_intent_mandate_invalid": "mandate_gone",
    "revocation_of_authorization": "mandate_gone",
    "revocation_of_all_authorizations": "mandate_gone",
    "stop_payment_order": "mandate_gone",
    "card_not_supported": "not_supported",
    "currency_not_supported": "not_supported",
    "transaction_not_allowed": "not_supported",
    "processing_error": "declined_for_now",
    "try_again_later": "declined_for_now",
    "issuer_not_available": "declined_for_now",
    "reenter_transaction": "declined_for_now",
    "generic_decline": "declined_for_now",
    "do_not_honor": "declined_for_now",
    "call_issuer": "declined_for_now",
    "no_action_taken": "declined_for_now",
    "bank_account_declined": "declined_for_now",
    "lost_card": "card_declined",
    "stolen_card": "card_declined",
    "pickup_card": "card_declined",
    "restricted_card": "card_declined",
    "fraudulent": "card_declined",
    "merchant_blacklist": "card_declined",
    "card_declined": "card_declined",
}

# What issuers advise where they say nothing more exact; `try_again_later` is what we do anyway.
ADVICE = {"do_not_try_again": "card_declined", "confirm_card_data": "wrong_details"}


def code(error: Any) -> str | None:
    """Our code for a `last_payment_error` or the like; None for none."""
    if not error:
        return None
    found = CODES.get(error.get("decline_code") or "") or CODES.get(error.get("code") or "")
    advised = ADVICE.get(error.get("advice_code") or "")
    if advised and found in {None, "declined_for_now"}:
        return advised
    return found or "payment_failed"
