"""Why PayPal says that a payment failed, in the words of billing/gateways/failures.py.

`details[].issue` of an answer 422: https://developer.paypal.com/api/rest/reference/orders/v2/errors
(read November 2026).
"""

CODES = {
    "INSTRUMENT_DECLINED": "declined_for_now",
    "PAYMENT_SOURCE_DECLINED_BY_PROCESSOR": "declined_for_now",
    "REDIRECT_PAYER_FOR_ALTERNATE_FUNDING": "declined_for_now",
    "TRANSACTION_REFUSED": "declined_for_now",
    "PAYEE_BLOCKED_TRANSACTION": "not_supported",
    "PAYER_CANNOT_PAY": "not_supported",
    "PAYER_COUNTRY_NOT_SUPPORTED": "not_supported",
    "PAYER_ACCOUNT_LOCKED_OR_CLOSED": "method_gone",
    "PAYER_ACCOUNT_RESTRICTED": "method_gone",
    "TOKEN_ID_NOT_FOUND": "method_gone",
    "INVALID_VAULT_ID": "method_gone",
    "VAULT_ID_NOT_FOUND": "method_gone",
    "AGREEMENT_ALREADY_CANCELLED": "mandate_gone",
    "BILLING_AGREEMENT_NOT_FOUND": "mandate_gone",
    "PAYER_ACTION_REQUIRED": "authentication_required",
    "MAX_NUMBER_OF_PAYMENT_ATTEMPTS_EXCEEDED": "limit_exceeded",
    "TRANSACTION_LIMIT_EXCEEDED": "limit_exceeded",
    "INSUFFICIENT_FUNDS": "insufficient_funds",
    "CARD_EXPIRED": "expired_card",
}
