"""What an order would be invoiced, on paper, for buyers who must have it approved first.

A pro forma is no invoice: it has no number, is not stored or booked, carries no data for the
recipient's books, and nothing can be paid by it.
"""

from datetime import datetime
from typing import Any

from django.utils import translation
from django.utils.translation import gettext as _

from billing import documents, invoices, papers
from billing.formats import Format
from billing.models import Brand, Invoice


def offered(is_business: bool, brand: Brand) -> bool:
    """Say whether this buyer may have one: businesses, unless the operator switched it off."""
    return is_business and brand.pro_forma


def pdf(priced: invoices.Priced, brand: Brand, *, at: datetime) -> bytes:
    """Return what was priced as a PDF/A in the draft's language, dated `at`; nothing is stored."""
    invoice, lines, taxes = invoices.unissued(priced, brand, at=at)
    with translation.override(invoice.language):
        data = documents.printed(invoice, lines, taxes) | _instead(invoice)
    return papers.plain(data, at=at)


def _instead(invoice: Invoice) -> dict[str, Any]:
    """Return what differs from an invoice: whatever would make it one, or ask for money."""
    form = Format(invoice.language, invoice.currency)
    vat_id = [(_("Your VAT number"), invoice.buyer["vat_id"])] if invoice.buyer["vat_id"] else []
    text = _(
        "It is not an invoice in the sense of the VAT law and gives no right to deduct input tax. "
        "You receive the invoice when you order; prices and tax are then those of that day."
    )
    return {
        "title": _("Pro-forma invoice"),
        "facts": [(_("Date"), form.date(invoice.issued_on)), *vat_id],
        "intro": _("An order of the following services would be charged as follows:"),
        "rest": [],
        "payment": {
            "title": _("Please do not pay this document"),
            "text": text,
            "facts": [],
            "qr": "",
            "qr-label": "",
        },
    }
