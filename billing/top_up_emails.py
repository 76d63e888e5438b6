"""The mails about credit that runs low, and about what is bought because of it."""

from datetime import datetime

from django.utils import translation

from billing import emails
from billing.gateways import failures
from billing.models import AutoPurchase, Subscription
from packages.money import Money


def low_balance(subscription: Subscription, *, below: Money, at: datetime) -> None:
    """Say that an account's credit runs low, with the way to the top-up; once per reading."""
    account = subscription.account
    assert account is not None, "Only a known balance is low."
    emails.to_customer(
        "low_balance",
        f"account-{account.pk}:{account.balance_at}",
        subscription.customer,
        {
            "account": account,
            "balance": Money(account.balance_minor or 0, subscription.currency),
            "below": below,
            "button_url": emails.link("storefront:top_up", subscription.public_id),
        },
        at=at,
    )


def auto_top_up_stopped(purchase: AutoPurchase, *, code: str, at: datetime) -> None:
    """Say that an automatic top-up was declined and none will be tried any more, and why."""
    subscription = purchase.auto.subscription
    with translation.override(subscription.customer.language):
        why = failures.message(code)
    emails.to_customer(
        "auto_top_up_stopped",
        f"auto-purchase-{purchase.pk}",
        subscription.customer,
        {
            "account": subscription.account,
            "amount": Money(purchase.amount_minor, subscription.currency),
            "why": why,
            "button_url": emails.link("storefront:top_up", subscription.public_id),
        },
        at=at,
    )
