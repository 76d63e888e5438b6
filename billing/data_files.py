"""A copy of everything we hold about a customer: one ZIP of JSON, invoices and files.

What is a secret stays out: no field that is sealed, a token or a digest is ever copied.
"""

import io
import json
import zipfile
from collections.abc import Iterable, Iterator
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import Model, QuerySet

from billing import documents, einvoice
from billing.models import (
    Allocation,
    AutoTopUp,
    CreditBucket,
    Customer,
    Declaration,
    Exchange,
    Invoice,
    InvoiceLine,
    InvoiceTax,
    Membership,
    Notice,
    OrderLine,
    Posting,
    Refund,
    SubscriptionPeriod,
    TicketFile,
    TicketMessage,
    User,
)
from provisioning.models import Account, Reading

# Parts of names of fields that open something.
SECRET = ("token", "digest", "sealed", "secret", "password", "key", "redirect_url")


def zipped(customer: Customer) -> bytes:
    """Return the ZIP file. Reads only; making each invoice's PDF takes a moment."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in _contents(customer):
            archive.writestr(name, content)
    return made.getvalue()


def _contents(customer: Customer) -> Iterator[tuple[str, bytes]]:
    for name, rows in _tables(customer).items():
        plain = [_plain(row) for row in rows]
        text = json.dumps(plain, cls=DjangoJSONEncoder, ensure_ascii=False, indent=1)
        yield f"{name}.json", text.encode()
    for invoice in customer.invoices.exclude(state=Invoice.State.DRAFT):
        yield f"invoices/{invoice.number}.pdf", documents.invoice_pdf(invoice)
        yield f"invoices/{invoice.number}.xml", einvoice.xml(invoice)
    for file in TicketFile.objects.filter(message__ticket__customer=customer):
        yield f"files/{file.pk}-{file.name}", bytes(file.content)


def _tables(customer: Customer) -> dict[str, Iterable[Model]]:
    """Return every table that says something about the customer, by the name of its file."""
    mine: dict[str, QuerySet[Any]] = {
        "customer": Customer.objects.filter(pk=customer.pk),
        "users": User.objects.filter(customers=customer).only("email", "name", "language"),
        "memberships": Membership.objects.filter(customer=customer),
        "orders": customer.orders.all(),
        "order_lines": OrderLine.objects.filter(order__customer=customer),
        "invoices": customer.invoices.exclude(state=Invoice.State.DRAFT),
        "invoice_lines": InvoiceLine.objects.filter(invoice__customer=customer),
        "invoice_taxes": InvoiceTax.objects.filter(invoice__customer=customer),
        "payments": customer.payments.all(),
        "allocations": Allocation.objects.filter(invoice__customer=customer),
        "refunds": Refund.objects.filter(payment__customer=customer),
        "payment_methods": customer.methods.all(),
        "balance": Posting.objects.filter(account__customer=customer),
        "services": customer.subscriptions.all(),
        "periods": SubscriptionPeriod.objects.filter(subscription__customer=customer),
        "exchanges": Exchange.objects.filter(subscription__customer=customer),
        "automatic_top_ups": AutoTopUp.objects.filter(subscription__customer=customer),
        "declarations": Declaration.objects.filter(subscription__customer=customer),
        "accounts": Account.objects.filter(subscription__customer=customer),
        "credit": CreditBucket.objects.filter(account__subscription__customer=customer),
        "readings": Reading.objects.filter(account__subscription__customer=customer),
        "reminders": Notice.objects.filter(invoice__customer=customer),
        "redemptions": customer.redemptions.all(),
        "mails": customer.mails.exclude(text=""),
        "support_requests": customer.tickets.all(),
        "support_messages": TicketMessage.objects.filter(ticket__customer=customer),
        "invitations": customer.invitations.all(),
    }
    return {name: rows.order_by("pk").iterator() for name, rows in mine.items()}


def _plain(row: Model) -> dict[str, Any]:
    """Return a row's values, without what is binary or opens something."""
    return {
        field.name: field.value_from_object(row)
        for field in row._meta.concrete_fields
        if not isinstance(field, models.BinaryField) and not _is_secret(row, field.name)
    }


def _is_secret(row: Model, name: str) -> bool:
    if isinstance(row, User):
        return name not in ("id", "email", "name", "language", "date_joined")
    return any(part in name for part in SECRET)
