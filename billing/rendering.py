"""The texts of a mail in its reader's language; those of a whole billing run wait until sent."""

import re
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.db.models import prefetch_related_objects
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation

from billing import balances, colours, mail_texts
from billing.models import (
    Brand,
    Customer,
    Invoice,
    Mail,
    PaymentMethod,
    Subscription,
    current_brand,
)
from packages import unbroken

FOLDER = "billing/email"
# Parts of a text that are left out leave their empty lines behind.
GAP = re.compile(r"\n{3,}")
# A subject is one line; the space that holds an amount and its currency together stays.
SPACES = re.compile(r"[^\S\u00a0\u202f]+")


def fill(mail: Mail, context: Mapping[str, Any], *, brand: Brand, folder: str = FOLDER) -> None:
    """Put subject, text and HTML of the mail's template into the row; stores nothing."""
    own = {}
    if folder == FOLDER:
        passages = mail_texts.of_template(mail.template)
        own = mail_texts.written(mail.template, passages, language=mail.language)
    render(mail, {"written": own, **context}, brand=brand, folder=folder)


def render(mail: Mail, context: Mapping[str, Any], *, brand: Brand, folder: str = FOLDER) -> None:
    """Do the same with the passages in the context as `written`, whatever staff have stored."""
    with translation.override(mail.language):
        texts = {
            "brand": brand,
            "colours": colours.palette(brand.accent),
            "site_url": settings.SITE_URL,
            "LANGUAGE_CODE": mail.language,
        }
        values = {**texts, **context}
        subject = render_to_string(f"{folder}/{mail.template}.subject.txt", values)
        text = render_to_string(f"{folder}/{mail.template}.txt", values)
        html = render_to_string(f"{folder}/{mail.template}.html", values)
    mail.subject = SPACES.sub(" ", subject).strip()[:200]
    mail.text = GAP.sub("\n\n", text.strip()) + "\n"
    mail.html = unbroken.in_mail(html)


def complete(mail: Mail) -> tuple[str, ...]:
    """Render a mail that was queued bare, from the invoice that is its cause.

    Returns the names of the fields that are to be saved: none when the texts were there.
    """
    if mail.text:
        return ()
    invoice = Invoice.objects.select_related("customer").get(pk=_invoice_id(mail))
    customer = invoice.customer
    if mail.template == "receipt":
        said = of_receipt(invoice)
    else:
        said = {"charged_to": charged_to(customer), **of_invoice(invoice)}
    fill(mail, {"customer": customer, **said}, brand=current_brand())
    return ("subject", "text", "html")


def of_invoice(invoice: Invoice) -> dict[str, Any]:
    """Return what the templates about an unpaid invoice need; text and HTML both name its lines."""
    prefetch_related_objects([invoice], "lines")
    return _of(invoice)


def of_receipt(invoice: Invoice) -> dict[str, Any]:
    """Return what a receipt says."""
    return {**_of(invoice), "from_balance": balances.used_for(invoice)}


def _of(invoice: Invoice) -> dict[str, Any]:
    return {"invoice": invoice, "button_url": link("storefront:invoice", invoice.public_id)}


def charged_to(customer: Customer) -> PaymentMethod | None:
    """Return what a renewal is charged to by itself; one query only for who pays so."""
    if not customer.pays_automatically:
        return None
    return customer.methods.filter(is_default=True).first()


def service_name(subscription: Subscription) -> str:
    """Return what the customer's mails call a service, in the customer's language."""
    with translation.override(subscription.customer.language):
        return subscription.package.text("name")


def link(name: str, *args: Any) -> str:
    """Return an absolute address; the host is ours, never a request's."""
    return f"{settings.SITE_URL}{reverse(name, args=args)}"


def _invoice_id(mail: Mail) -> int:
    return int(mail.cause.removeprefix("invoice-"))
