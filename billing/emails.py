"""Every mail of the shop: rendered once in the reader's language, stored once for its cause."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from billing import deliveries, legal_texts, rendering
from billing.models import (
    Brand,
    Customer,
    Invoice,
    Mail,
    Order,
    Payment,
    Refund,
    Subscription,
    VatCheck,
    current_brand,
)
from billing.rendering import link as link
from packages import states
from packages.doorbell import ring, ring_each
from provisioning import vault

# Stands in the stored texts where the sealed value goes while sending.
SEALED = "[[sealed]]"


def order_placed(order: Order, invoice: Invoice, *, at: datetime) -> None:
    """Confirm an order on a durable medium: what was ordered, what it costs, the terms and the
    right of withdrawal in full; the invoice is linked.
    """
    to_customer(
        "order_placed",
        f"order-{order.pk}",
        order.customer,
        {
            "order": order,
            "lines": list(order.lines.all()),
            "invoice": invoice,
            "legal": legal_texts.with_order(order.language, private=not order.customer.is_business),
            "button_url": link("storefront:invoice", invoice.public_id),
        },
        language=order.language,
        at=at,
    )


def receipt(invoice: Invoice, *, at: datetime) -> None:
    """Say that an invoice is paid; nothing is mailed about an invoice over nothing."""
    if not invoice.total_minor:
        return
    to_customer(
        "receipt",
        f"invoice-{invoice.pk}",
        invoice.customer,
        rendering.of_receipt(invoice),
        language=invoice.language,
        at=at,
    )


def invoice_issued(invoices: Sequence[Invoice], brand: Brand, *, at: datetime) -> None:
    """Queue the announcement of new renewals on which something is due; see `_queue_bare`."""
    due = [each for each in invoices if each.due]
    _queue_bare("invoice_issued", due, brand, reason="invoice issued", at=at)


def receipts(invoices: Sequence[Invoice], brand: Brand, *, at: datetime) -> None:
    """Say that invoices are paid; one alone is rendered now, and for many see `_queue_bare`."""
    if len(invoices) == 1:
        receipt(invoices[0], at=at)
    else:
        about = [each for each in invoices if each.total_minor]
        _queue_bare("receipt", about, brand, reason="invoice paid", at=at)


def _queue_bare(
    template: str, about: Sequence[Invoice], brand: Brand, *, reason: str, at: datetime
) -> None:
    """Queue a mail about each invoice, in the transaction that issues or settles them.

    Rendering takes far longer than that, so each is rendered when it is sent.
    """
    mails = [
        Mail(
            template=template,
            cause=f"invoice-{each.pk}",
            recipient=each.customer.email,
            customer=each.customer,
            language=each.language,
            sender=_sender(brand),
            reply_to=_answers_to(brand, each.customer.email),
            created_at=at,
            next_attempt_at=at,
        )
        for each in about
    ]
    states.insert(mails, at=at, actor="system:mail", reason=reason)
    ring_each(deliveries.deliver_mail, [mail.pk for mail in mails])


def credit_note(note: Invoice, *, at: datetime) -> None:
    """Say what was credited, of which invoice and why; the credit note is linked."""
    to_customer(
        "credit_note",
        f"invoice-{note.pk}",
        note.customer,
        {"note": note, "button_url": link("storefront:invoice", note.public_id)},
        language=note.language,
        at=at,
    )


def refund(refund: Refund, *, at: datetime) -> None:
    """Say that money was given back, and by which way."""
    to_customer(
        "refund",
        f"refund-{refund.pk}",
        refund.payment.customer,
        {"refund": refund, "button_url": link("storefront:balance")},
        language=refund.payment.invoice.language,
        at=at,
    )


def refund_returned(refund: Refund, *, at: datetime) -> None:
    """Say that a refund of which was written came back, and that the sum is on the balance."""
    to_customer(
        "refund_returned",
        f"refund-{refund.pk}",
        refund.payment.customer,
        {"refund": refund, "button_url": link("storefront:balance")},
        language=refund.payment.invoice.language,
        at=at,
    )


def vat_id_invalid(customer: Customer, check: VatCheck, *, at: datetime) -> None:
    """Say that a VAT id is not registered, what that costs, and what to do."""
    to_customer(
        "vat_id_invalid",
        f"vat-check-{check.pk}-{customer.pk}",
        customer,
        {"check": check, "button_url": link("storefront:profile")},
        at=at,
    )


def part_paid(invoice: Invoice, payment: Payment, *, at: datetime) -> None:
    """Say what arrived, and what is still to be paid."""
    to_customer(
        "part_paid",
        f"payment-{payment.pk}",
        invoice.customer,
        {**rendering.of_invoice(invoice), "payment": payment},
        language=invoice.language,
        at=at,
    )


def kept_on_balance(payment: Payment, *, at: datetime) -> None:
    """Say that money came when nothing was due any more, and that it is on the balance."""
    to_customer(
        "kept_on_balance",
        f"payment-{payment.pk}",
        payment.customer,
        {"invoice": payment.invoice, "payment": payment, "button_url": link("storefront:balance")},
        language=payment.invoice.language,
        at=at,
    )


def mail_test(recipient: str, *, language: str, at: datetime) -> None:
    """Let staff see that mail works; each call is a mail of its own."""
    cause, url = f"at-{at.isoformat()}", link("admin:sheet_opening")
    queue("mail_test", cause, recipient, {"button_url": url}, language=language, at=at)


def queue(
    template: str,
    cause: str,
    recipient: str,
    context: Mapping[str, Any],
    *,
    language: str,
    at: datetime,
    customer: Customer | None = None,
    sealed: str = "",
    reply_to: str = "",
    folder: str = rendering.FOLDER,
) -> Mail | None:
    """Render and store a mail, and ring after commit; None if this cause was mailed before.

    Renders `<folder>/<template>.subject.txt`, `.txt` and `.html` in `language`. Needs no lock.
    """
    brand = current_brand()
    mail = Mail(
        template=template,
        cause=cause,
        recipient=recipient,
        customer=customer,
        language=language,
        sender=_sender(brand),
        reply_to=reply_to or _answers_to(brand, recipient),
        sealed=vault.seal(json.dumps({SEALED: sealed}), purpose=deliveries.PURPOSE)
        if sealed
        else None,
        created_at=at,
        next_attempt_at=at,
    )
    rendering.fill(mail, context, brand=brand, folder=folder)
    return mail if _insert(mail, at=at) else None


def _insert(mail: Mail, *, at: datetime) -> bool:
    """Store the mail unless its cause is known; the unique key decides."""
    if not states.insert_unless_known(mail, at=at, actor="system:mail", reason=mail.cause):
        return False
    ring(deliveries.deliver_mail, mail.pk)
    return True


def to_customer(
    template: str,
    cause: str,
    customer: Customer,
    context: Mapping[str, Any],
    *,
    at: datetime,
    language: str = "",
    sealed: str = "",
) -> Mail | None:
    """Queue a mail to a customer, in their language unless it is about a document in another."""
    return queue(
        template,
        cause,
        customer.email,
        {"customer": customer, **context},
        language=language or customer.language,
        at=at,
        customer=customer,
        sealed=sealed,
    )


def about_service(
    template: str,
    cause: str,
    subscription: Subscription,
    context: Mapping[str, Any],
    *,
    at: datetime,
) -> Mail | None:
    """Queue a mail to the customer of a service, with the way to the service's page."""
    address = link("storefront:service", subscription.public_id)
    context = {**context, "button_url": address}
    return to_customer(template, cause, subscription.customer, context, at=at)


def _sender(brand: Brand) -> str:
    name = brand.name.replace('"', "").replace("\\", "")
    return f'"{name}" <{brand.mail_sender}>'


def _answers_to(brand: Brand, recipient: str) -> str:
    """Every mail asks for an answer to it, so that one must reach people: the sender may be a
    mailbox that nobody reads.
    """
    support = brand.support_email
    return "" if support in (brand.mail_sender, recipient) else support
