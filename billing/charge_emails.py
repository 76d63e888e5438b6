"""Mails about what was charged, contested, or can be charged later; each once for its cause."""

from datetime import date, datetime

from django.utils import translation

from billing import emails, rendering
from billing.gateways import failures
from billing.models import Payment, PaymentMethod


def charge_failed(payment: Payment, *, next_on: date | None, at: datetime) -> None:
    """Say why an automatic charge failed, and when it is tried again; None: it is not."""
    _about("charge_failed", f"payment-{payment.pk}", payment, at=at, next_on=next_on)


def needs_authentication(payment: Payment, *, at: datetime) -> None:
    """Say that the bank wants the customer to confirm, and where to pay; once per invoice."""
    _about("needs_authentication", f"invoice-{payment.invoice_id}", payment, at=at)


def disputed(payment: Payment, *, at: datetime) -> None:
    """Say that what a payment paid for stands still, because its payer contests it."""
    context = {"payment": payment, **rendering.of_invoice(payment.invoice)}
    cause, customer = f"payment-{payment.pk}", payment.customer
    emails.to_customer("disputed", cause, customer, context, at=at)


def method_expiring(method: PaymentMethod, *, at: datetime) -> None:
    """Say that the method that is charged automatically expires soon."""
    context = {"method": method, "button_url": emails.link("storefront:methods")}
    customer = method.customer
    cause = f"method-{method.pk}"
    emails.to_customer("method_expiring", cause, customer, context, at=at)


def _about(
    template: str, cause: str, payment: Payment, *, at: datetime, next_on: date | None = None
) -> None:
    invoice = payment.invoice
    with translation.override(invoice.language):
        reason = failures.message(payment.failure_code)
    why = {"method": payment.method, "reason": reason, "next_on": next_on}
    context = {**rendering.of_invoice(invoice), **why}
    emails.to_customer(template, cause, invoice.customer, context, language=invoice.language, at=at)
