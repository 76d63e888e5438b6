"""Manual bank transfer: the customer sends money, staff confirm that it arrived.

Whose account it goes to is the operator's data and shown by the shop; nothing here knows it.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta

from django.conf import settings
from django.utils.translation import gettext_lazy

from billing.gateways import failures
from billing.gateways.base import (
    BadWebhook,
    Declined,
    GatewayRefused,
    IncomingEvent,
    NotConfigured,
    PaymentRequest,
    PaymentSnapshot,
    PaymentStart,
    RefundSnapshot,
)
from packages.money import Money


def confirmed(key: str, amount: Money, at: datetime) -> PaymentSnapshot:
    """What `payments.record` is given when staff saw `amount` on the bank statement at `at`.

    `key` is our payment's key, which is the transfer's external id as well.
    """
    return PaymentSnapshot(
        external_id=key, key=key, state="succeeded", amount=amount, succeeded_at=at
    )


class BankTransfer:
    """Speaks to nobody. Raises NotConfigured unless `settings.BANK_TRANSFER` is on."""

    code = "bank_transfer"
    account = ""
    livemode = False
    keeps_methods = False
    lag = timedelta(0)
    currencies = None

    def __init__(self) -> None:
        if not getattr(settings, "BANK_TRANSFER", False):
            raise NotConfigured("settings.BANK_TRANSFER is off")
        self.name = str(gettext_lazy("Bank transfer"))

    def start_payment(self, request: PaymentRequest) -> PaymentStart:
        """Nothing to open: the customer is shown our bank account and what to quote."""
        return PaymentStart(external_id=request.key, redirect_url=None)

    def fetch_payment(self, external_id: str) -> PaymentSnapshot:
        """Always open, of no amount: only a person at the bank statement knows more."""
        return PaymentSnapshot(
            external_id=external_id, key=external_id, state="open", amount=Money(0, "EUR")
        )

    def charge_saved(self, request: PaymentRequest, method_token: str) -> PaymentSnapshot:
        """Never possible: a transfer is sent, not pulled. Raises Declined."""
        raise Declined("method_gone", str(failures.MESSAGES["method_gone"]))

    def refund(self, external_id: str, amount: Money, *, key: str) -> RefundSnapshot:
        """Staff send the money themselves. Raises GatewayRefused."""
        raise GatewayRefused("bank transfers are refunded by hand at the bank")

    def list_payments(self, since: datetime) -> list[PaymentSnapshot]:
        """Empty: there is nobody to ask."""
        return []

    def verify_webhook(
        self, body: bytes, headers: Mapping[str, str], *, at: datetime
    ) -> IncomingEvent:
        """Banks send none, so any is forged. Raises BadWebhook."""
        raise BadWebhook("forged")
