"""Tell who tries a package, some days before the trial ends, what it will cost and how to leave."""

from datetime import date, datetime

from django.db.models import CharField, Exists, OuterRef, QuerySet, Value
from django.db.models.functions import Cast, Concat

from billing import service_emails
from billing.invoice_days import TRIAL_TOLD
from billing.models import Invoice, Mail, Subscription, SubscriptionPeriod
from billing.subscriptions import TRIAL_INDEX
from packages.sweeping import Quarantine, contained


def announce(on: date, *, at: datetime, quarantine: Quarantine | None = None) -> list[str]:
    """Write to everybody whose trial ends within five days, once; return who was told.

    Who has cancelled, and whom the first period costs nothing, is not written to.
    """
    told = []
    for period in ending(on):
        subscription = period.subscription
        with contained(quarantine, f"subscription {subscription.pk}, end of the trial"):
            invoice = _first_invoice(period)
            if invoice is not None:
                service_emails.trial_ending(subscription, invoice, ends_on=period.end_on, at=at)
                told.append(str(subscription))
    return told


def ending(on: date) -> QuerySet[SubscriptionPeriod]:
    """Return the trials that end soon and that nobody was told of."""
    cause = Concat(Value("subscription-"), Cast(OuterRef("subscription_id"), CharField()))
    mails = Mail.objects.filter(template="trial_ending", cause=cause)
    trials = SubscriptionPeriod.objects.filter(
        ~Exists(mails),
        index=TRIAL_INDEX,
        end_on__gt=on,
        end_on__lte=on + TRIAL_TOLD,
        subscription__state=Subscription.State.ACTIVE,
        subscription__ends_on__isnull=True,
    )
    return trials.select_related("subscription__customer", "subscription__package")


def _first_invoice(trial: SubscriptionPeriod) -> Invoice | None:
    """Return the invoice of the period after the trial, None where it is none or over nothing."""
    first = Invoice.objects.filter(
        kind=Invoice.Kind.INVOICE,
        lines__subscription=trial.subscription_id,
        lines__period_start_on=trial.end_on,
        total_minor__gt=0,
    )
    return first.first()
