"""Every mail of the shop: rendered once in the reader's language, stored once for its cause."""

import json
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import translation

from billing import deliveries, rendering
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
        rendering.of_receipt(invoice),
        language=invoice.language,
        at=at,
    )


def invoice_issued(invoices: Sequence[Invoice], brand: Brand, *, at: datetime) -> None:
    """Queue the announcement of new renewals on which something is due; see `_queue_bare`."""
    due = [each for each in invoices if each.due]
    _queue_bare("invoice_issued", due, brand, at=at)


def receipts(invoices: Sequence[Invoice], brand: Brand, *, at: datetime) -> None:
    """Say that invoices were paid when they were issued; see `_queue_bare`."""
    _queue_bare("receipt", [each for each in invoices if each.total_minor], brand, at=at)


def _queue_bare(template: str, about: Sequence[Invoice], brand: Brand, *, at: datetime) -> None:
    """Queue a mail about each invoice, in the transaction that issues them; one statement.

    Rendering takes far longer than issuing, so each is rendered when it is sent.
    """
    mails = [
        Mail(
            template=template,
            cause=f"invoice-{each.pk}",
            recipient=each.customer.email,
            customer=each.customer,
            language=each.language,
            sender=_sender(brand),
            created_at=at,
            next_attempt_at=at,
        )
        for each in about
    ]
    states.insert(mails, at=at, actor="system:mail", reason="invoice issued")
    ring_each(deliveries.deliver_mail, [mail.pk for mail in mails])


def reminder(invoice: Invoice, *, at: datetime) -> Mail:
    """Remind of an invoice that is due in a few days."""
    return _about("reminder", invoice, at=at, charged_to=rendering.charged_to(invoice.customer))


def overdue_first(invoice: Invoice, *, at: datetime) -> Mail:
    """Say that the due date has passed."""
    return _about("overdue_first", invoice, at=at)


def overdue_second(
    invoice: Invoice, *, suspended_on: date | None, floor: Money | None = None, at: datetime
) -> Mail:
    """Say it again, and on which day the service will be suspended, if it will.

    `floor` is the least sum of arrears for that, where the law sets one.
    """
    return _about("overdue_second", invoice, at=at, suspended_on=suspended_on, floor=floor)


def suspended(invoice: Invoice, *, ended_on: date | None, at: datetime) -> Mail:
    """Say that the service stands still, and until when a payment brings it back."""
    return _about("suspended", invoice, at=at, ended_on=ended_on)


def revocation_warning(invoice: Invoice, *, ended_on: date | None, at: datetime) -> Mail:
    """Say on which day the service ends for good."""
    return _about("revocation_warning", invoice, at=at, ended_on=ended_on)


def ended(
    subscription: Subscription,
    *,
    cause: str,
    deleted_on: date,
    at: datetime,
    unpaid: str = "",
    by_staff: bool = False,
) -> Mail:
    """Say that a service has ended: cancelled, by staff, or for the invoice `unpaid`."""
    mail = _to_customer(
        "ended",
        cause,
        subscription.customer,
        {
            "name": _service_name(subscription),
            "unpaid": unpaid,
            "by_staff": by_staff,
            "deleted_on": deleted_on,
            "button_url": link("storefront:service", subscription.public_id),
        },
        at=at,
    )
    return mail or Mail.objects.get(template="ended", cause=cause)


def restored(subscription: Subscription, *, cause: str, at: datetime) -> None:
    """Say that a suspended service runs again."""
    _to_customer(
        "restored",
        cause,
        subscription.customer,
        {
            "name": _service_name(subscription),
            "button_url": link("storefront:service", subscription.public_id),
        },
        at=at,
    )


def trial_ending(
    subscription: Subscription, invoice: Invoice, *, ends_on: date, at: datetime
) -> None:
    """Say when a trial ends, what the first period costs, and how to cancel before."""
    _to_customer(
        "trial_ending",
        f"subscription-{subscription.pk}",
        subscription.customer,
        {
            "name": _service_name(subscription),
            "cycle": subscription.get_cycle_display(),
            "invoice": invoice,
            "ends_on": ends_on,
            "charged": subscription.customer.pays_automatically,
            "button_url": link("storefront:service", subscription.public_id),
        },
        at=at,
    )


def paid_after_end(subscription: Subscription, invoice: Invoice, *, at: datetime) -> None:
    """Tell staff that somebody paid for a service that had ended: nothing runs by itself."""
    brand = current_brand()
    queue(
        "paid_after_end",
        f"invoice-{invoice.pk}-subscription-{subscription.pk}",
        brand.support_email,
        {
            "who": subscription.customer,
            "subscription": subscription,
            "invoice": invoice,
            "button_url": link("admin:billing_invoice_change", invoice.pk),
        },
        language=settings.LANGUAGE_CODE,
        at=at,
    )


def credit_note(note: Invoice, *, at: datetime) -> None:
    """Say what was credited, of which invoice and why; the credit note is linked."""
    _to_customer(
        "credit_note",
        f"invoice-{note.pk}",
        note.customer,
        {"note": note, "button_url": link("storefront:invoice", note.public_id)},
        language=note.language,
        at=at,
    )


def refund(refund: Refund, *, at: datetime) -> None:
    """Say that money was given back, and by which way."""
    _to_customer(
        "refund",
        f"refund-{refund.pk}",
        refund.payment.customer,
        {"refund": refund, "button_url": link("storefront:balance")},
        language=refund.payment.invoice.language,
        at=at,
    )


def vat_id_invalid(customer: Customer, check: VatCheck, *, at: datetime) -> None:
    """Say that a VAT id is not registered, what that costs, and what to do."""
    _to_customer(
        "vat_id_invalid",
        f"vat-check-{check.pk}-{customer.pk}",
        customer,
        {"check": check, "button_url": link("storefront:profile")},
        at=at,
    )


def part_paid(invoice: Invoice, payment: Payment, *, at: datetime) -> None:
    """Say what arrived, and what is still to be paid."""
    _to_customer(
        "part_paid",
        f"payment-{payment.pk}",
        invoice.customer,
        {**rendering.of_invoice(invoice), "payment": payment},
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


def mail_test(recipient: str, *, language: str, at: datetime) -> None:
    """Let staff see that mail works; each call is a mail of its own."""
    cause, url = f"at-{at.isoformat()}", link("admin:sheet_opening")
    queue("mail_test", cause, recipient, {"button_url": url}, language=language, at=at)


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
        reply_to=reply_to,
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
    try:
        with transaction.atomic():
            mail.save(force_insert=True)
            record_change(mail, before="", at=at, actor="system:mail", reason=mail.cause)
    except IntegrityError:
        return False
    ring(deliveries.deliver_mail, mail.pk)
    return True


def _about(template: str, invoice: Invoice, *, at: datetime, **more: object) -> Mail:
    """Queue a mail about an unpaid invoice and return it; a repetition returns the first one."""
    cause = f"invoice-{invoice.pk}"
    context = {**rendering.of_invoice(invoice), **more}
    language = invoice.language
    mail = _to_customer(template, cause, invoice.customer, context, at=at, language=language)
    return mail or Mail.objects.get(template=template, cause=cause)


def _service_name(subscription: Subscription) -> str:
    with translation.override(subscription.customer.language):
        return subscription.package.text("name")


def _to_customer(
    template: str,
    cause: str,
    customer: Customer,
    context: Mapping[str, Any],
    *,
    at: datetime,
    language: str = "",
    sealed: str = "",
) -> Mail | None:
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


def _sender(brand: Brand) -> str:
    name = brand.name.replace('"', "").replace("\\", "")
    return f'"{name}" <{brand.mail_sender}>'
