"""The mails about a customer's data: the copy is ready, the deletion is asked for."""

from datetime import datetime

from django.conf import settings

from billing import emails
from billing.models import DataExport, DeletionRequest, current_brand


def data_ready(export: DataExport, *, at: datetime) -> None:
    """Say that the copy can be downloaded, once, until when, and where: after signing in."""
    customer = export.customer
    emails.queue(
        "data_ready",
        f"data-export-{export.pk}",
        export.asked_by.email if export.asked_by else customer.email,
        {"export": export, "button_url": emails.link("storefront:data")},
        language=customer.language,
        at=at,
        customer=customer,
    )


def deletion_received(row: DeletionRequest, *, at: datetime) -> None:
    """Confirm that the deletion was asked for, and say what has to be kept, and why."""
    customer = row.customer
    emails.queue(
        "deletion_received",
        f"deletion-{row.pk}",
        customer.email,
        {"row": row, "button_url": emails.link("storefront:data")},
        language=customer.language,
        at=at,
        customer=customer,
    )


def deletion_waits(row: DeletionRequest, *, at: datetime) -> None:
    """Tell staff that a deletion waits for them."""
    emails.queue(
        "deletion_waits",
        f"deletion-{row.pk}",
        current_brand().support_email,
        {"row": row, "button_url": emails.link("admin:billing_deletionrequest_change", row.pk)},
        language=settings.LANGUAGE_CODE,
        at=at,
    )
