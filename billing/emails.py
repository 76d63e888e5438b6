"""Every mail of the shop: rendered once in the reader's language, stored once for its cause."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation

from billing import deliveries
from billing.models import Brand, Customer, Invoice, Mail, Order, current_brand
from packages.doorbell import ring
from packages.money import Money
from packages.states import record_change
from provisioning import secrets, vault
from provisioning.models import Account

# Stands in the stored texts where the sealed value goes while sending.
SEALED = "[[sealed]]"


def order_placed(order: Order, invoice: Invoice, *, at: datetime) -> None:
    """Confirm an order: what was ordered, what it costs, and the invoice (linked)."""
    _to_customer(
        "order_placed",
        f"order-{order.pk}",
        order.customer,
        {
            "order": order,
            "lines": list(order.lines.all()),
            "invoice": invoice,
            "button_url": link("storefront:invoice", invoice.public_id),
        },
        language=order.language,
        at=at,
    )


def receipt(invoice: Invoice, *, at: datetime) -> None:
    """Say that an invoice is paid; nothing is mailed about an invoice over nothing."""
    if not invoice.total_minor:
        return
    _to_customer(
        "receipt",
        f"invoice-{invoice.pk}",
        invoice.customer,
        {"invoice": invoice, "button_url": link("storefront:invoice", invoice.public_id)},
        language=invoice.language,
        at=at,
    )


def account_ready(account: Account, customer: Customer, password: str, *, at: datetime) -> None:
    """Mail everything needed to sign in at the dialler.

    The password is behind a one-time link, or in the mail where the operator wants that; the stored
    mail holds neither (see Mail.sealed). Both the link and the mail exist once per account.
    """
    cause = f"account-{account.pk}"
    by_link = current_brand().login_by == Brand.Login.LINK
    sealed = password
    if by_link:
        token = secrets.create(account, password, cause=cause, at=at)
        sealed = link("storefront:secret", token)
    _to_customer(
        "account_ready",
        cause,
        customer,
        {
            "account": account,
            "subscription": account.subscription,
            "by_link": by_link,
            "sealed": SEALED,
            "hours": int(secrets.VALID_FOR.total_seconds() // 3600),
            "button_url": SEALED if by_link else account.server.login_url,
        },
        sealed=sealed,
        at=at,
    )


def topped_up(
    account: Account, customer: Customer, amount: Money, *, cause: str, at: datetime
) -> None:
    """Say that bought credit has arrived on the account."""
    _to_customer(
        "topped_up",
        cause,
        customer,
        {
            "account": account,
            "amount": amount,
            "button_url": link("storefront:service", account.subscription.public_id),
        },
        at=at,
    )


def link(name: str, *args: Any) -> str:
    """Return an absolute address; the host is ours, never a request's."""
    return f"{settings.SITE_URL}{reverse(name, args=args)}"


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
    folder: str = "billing/email",
) -> Mail | None:
    """Render and store a mail, and ring after commit; None if this cause was mailed before.

    Renders `<folder>/<template>.subject.txt`, `.txt` and `.html` in `language`. Needs no lock.
    """
    brand = current_brand()
    with translation.override(language):
        texts = {"brand": brand, "site_url": settings.SITE_URL, "LANGUAGE_CODE": language}
        values = {**texts, **context}
        subject = render_to_string(f"{folder}/{template}.subject.txt", values)
        text = render_to_string(f"{folder}/{template}.txt", values)
        html = render_to_string(f"{folder}/{template}.html", values)
    mail = Mail(
        template=template,
        cause=cause,
        recipient=recipient,
        customer=customer,
        language=language,
        sender=_sender(brand),
        subject=" ".join(subject.split())[:200],
        text=text.strip() + "\n",
        html=html,
        sealed=vault.seal(json.dumps({SEALED: sealed}), purpose=deliveries.PURPOSE)
        if sealed
        else None,
        created_at=at,
        next_attempt_at=at,
    )
    return mail if _insert(mail, at=at) else None


def _insert(mail: Mail, *, at: datetime) -> bool:
    """Store the mail unless its cause is known; the unique key decides."""
    try:
        with transaction.atomic():
            mail.save(force_insert=True)
            record_change(mail, before="", at=at, actor="system:mail", reason=mail.cause)
    except IntegrityError:
        return False
    ring(deliveries.deliver_mail, mail.pk)
    return True


def _to_customer(
    template: str,
    cause: str,
    customer: Customer,
    context: Mapping[str, Any],
    *,
    at: datetime,
    language: str = "",
    sealed: str = "",
) -> None:
    queue(
        template,
        cause,
        customer.email,
        {"customer": customer, **context},
        language=language or customer.language,
        at=at,
        customer=customer,
        sealed=sealed,
    )


def _sender(brand: Brand) -> str:
    name = brand.name.replace('"', "").replace("\\", "")
    return f'"{name}" <{brand.mail_sender}>'
