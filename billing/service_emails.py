"""The mails of a service's life: it is ready, topped up, restored, ended."""

from datetime import date, datetime

from django.conf import settings

from billing import emails, rendering
from billing.models import Brand, Customer, Invoice, Mail, Subscription, current_brand
from billing.rendering import link
from packages.money import Money
from provisioning import secrets
from provisioning.models import Account


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
    emails.to_customer(
        "account_ready",
        cause,
        customer,
        {
            "account": account,
            "subscription": account.subscription,
            "by_link": by_link,
            "sealed": emails.SEALED,
            "hours": int(secrets.VALID_FOR.total_seconds() // 3600),
            "button_url": emails.SEALED if by_link else account.server.login_url,
        },
        sealed=sealed,
        at=at,
    )


def topped_up(
    account: Account, customer: Customer, amount: Money, *, cause: str, at: datetime
) -> None:
    """Say that bought credit has arrived on the account."""
    emails.to_customer(
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


def trial_ending(
    subscription: Subscription, invoice: Invoice, *, ends_on: date, at: datetime
) -> None:
    """Say when a trial ends, what the first period costs, and how to cancel before."""
    emails.about_service(
        "trial_ending",
        f"subscription-{subscription.pk}",
        subscription,
        {
            "name": rendering.service_name(subscription),
            "cycle": subscription.get_cycle_display(),
            "invoice": invoice,
            "ends_on": ends_on,
            "charged": subscription.customer.pays_automatically,
        },
        at=at,
    )


def restored(subscription: Subscription, *, cause: str, at: datetime) -> None:
    """Say that a suspended service runs again."""
    emails.about_service(
        "restored",
        cause,
        subscription,
        {
            "name": rendering.service_name(subscription),
        },
        at=at,
    )


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
    mail = emails.about_service(
        "ended",
        cause,
        subscription,
        {
            "name": rendering.service_name(subscription),
            "unpaid": unpaid,
            "by_staff": by_staff,
            "deleted_on": deleted_on,
        },
        at=at,
    )
    return mail or Mail.objects.get(template="ended", cause=cause)


def paid_after_end(subscription: Subscription, invoice: Invoice, *, at: datetime) -> None:
    """Tell staff that somebody paid for a service that had ended: nothing runs by itself."""
    brand = current_brand()
    emails.queue(
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
