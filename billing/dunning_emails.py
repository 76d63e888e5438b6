"""The mails of the dunning timetable: each is the evidence of a step, so each returns its row."""

from datetime import date, datetime

from billing import emails, rendering
from billing.models import Invoice, Mail
from packages.money import Money


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


def _about(template: str, invoice: Invoice, *, at: datetime, **more: object) -> Mail:
    """Queue a mail about an unpaid invoice and return it; a repetition returns the first one."""
    cause = f"invoice-{invoice.pk}"
    context = {**rendering.of_invoice(invoice), **more}
    language = invoice.language
    mail = emails.to_customer(template, cause, invoice.customer, context, at=at, language=language)
    return mail or Mail.objects.get(template=template, cause=cause)
