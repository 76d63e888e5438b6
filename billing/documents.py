"""Documents on paper. They print what an invoice's row says; nothing here adds or rounds."""

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext as _

from billing import colours, einvoice, girocode, papers, tax
from billing.formats import Format, in_fours
from billing.models import Invoice, InvoiceLine, InvoiceTax
from packages.periods import Period, business_day

ACCENT = "#0a5a78"
Pairs = list[tuple[str, str]]


def invoice_pdf(invoice: Invoice) -> bytes:
    """Return an issued invoice or credit note as a PDF/A-3b in its own language, with its XML.

    Made from the row's snapshots alone, so a row that did not change gives the same bytes. Reads
    the lines and taxes; raises ValueError for a draft. Speaks to nobody, writes nothing.
    """
    if invoice.number is None or invoice.issued_at is None:
        raise ValueError("A draft has no number yet and is not printed.")
    with translation.override(invoice.language):
        data = printed(invoice, list(invoice.lines.all()), list(invoice.taxes.all()))
    return papers.pdf(data, einvoice.xml(invoice), at=invoice.issued_at)


def printed(
    invoice: Invoice, lines: Sequence[InvoiceLine], taxes: Sequence[InvoiceTax]
) -> dict[str, Any]:
    """Return every text of the document in the language that is on, ready to print."""
    form = Format(invoice.language, invoice.currency)
    seller = invoice.seller
    return {
        "language": form.locale.language,
        "accent": colours.palette(seller.get("accent", ACCENT)).accent,
        "brand": seller["name"],
        "author": seller["company"],
        "title": _title(invoice),
        "sender": " · ".join(_place(seller, form, with_country=False)),
        "recipient": _place(invoice.buyer, form, with_country=_is_abroad(invoice)),
        "facts": _facts(invoice, lines, form),
        "intro": _intro(invoice),
        **_table(lines, form, gross=invoice.prices_include_tax),
        "sums": _sums(invoice, taxes, form),
        "total": [_("Total"), form.money(invoice.total_minor)],
        "rest": _rest(invoice, form),
        "note": tax.sentence(invoice.tax_note),
        "payment": _payment(invoice, form),
        "footer": _footer(seller, form),
        "closing": _closing(seller, form),
        # The template knows the numbers.
        "page": _("Page {page} of {pages}"),
    }


def _title(invoice: Invoice) -> str:
    words = {"number": invoice.number}
    if invoice.is_credit_note:
        return _("Credit note %(number)s") % words
    return _("Invoice %(number)s") % words


def _intro(invoice: Invoice) -> str:
    if invoice.corrects is None:
        return _("We charge you for the following services:")
    said = _("We credit you the following from invoice %(number)s. Reason: %(reason)s")
    return said % {"number": invoice.corrects.number, "reason": invoice.reason}


def _place(party: dict[str, str], form: Format, *, with_country: bool) -> list[str]:
    town = f"{party['postcode']} {party['city']}".strip()
    country = form.country(party["country"]) if with_country else ""
    names = [party["company"], party["name"] if "extra" in party else ""]
    return [text for text in (*names, party["street"], party.get("extra"), town, country) if text]


def _is_abroad(invoice: Invoice) -> bool:
    return bool(invoice.buyer["country"] != invoice.seller["country"])


def _facts(invoice: Invoice, lines: Sequence[InvoiceLine], form: Format) -> Pairs:
    facts = [
        *_dates(invoice, form),
        (_("Customer number"), str(invoice.customer_id)),
        (_("Supply period"), _supply(lines, form)),
        (_("Your VAT number"), invoice.buyer["vat_id"]),
    ]
    return [(label, value) for label, value in facts if value]


def _dates(invoice: Invoice, form: Format) -> Pairs:
    if invoice.corrects is None:
        return [
            (_("Invoice number"), str(invoice.number)),
            (_("Invoice date"), form.date(invoice.issued_on)),
            (_("Due date"), form.date(invoice.due_on)),
        ]
    return [
        (_("Credit note number"), str(invoice.number)),
        (_("Date"), form.date(invoice.issued_on)),
        (_("Corrects invoice"), str(invoice.corrects.number)),
        (_("Invoice date"), form.date(invoice.corrects.issued_on)),
    ]


def _supply(lines: Sequence[InvoiceLine], form: Format) -> str:
    starts = [line.period_start_on for line in lines if line.period_start_on]
    ends = [line.period_end_on for line in lines if line.period_end_on]
    if starts and ends:
        return form.period(Period(min(starts), max(ends)))
    if all(line.kind == InvoiceLine.Kind.CREDIT for line in lines):
        return _("on receipt of payment")
    return _("from activation")


def _table(lines: Sequence[InvoiceLine], form: Format, *, gross: bool) -> dict[str, Any]:
    # Prices that include tax are printed as agreed; the column beside them is always net.
    taxed = any(line.tax_bp for line in lines)
    unit = _("Unit price incl. VAT") if gross and taxed else _("Unit price")
    return {
        "columns": [_("Pos."), _("Description"), _("Period"), _("Quantity"), unit, _("Net")],
        "lines": [
            {
                "position": str(line.position),
                "description": line.description,
                "period": _period(line, form),
                "quantity": form.number(line.quantity),
                "unit": form.money(line.unit_minor),
                "net": form.money(line.net_minor),
            }
            for line in lines
        ],
    }


def _period(line: InvoiceLine, form: Format) -> str:
    if line.period_start_on and line.period_end_on:
        return form.period(Period(line.period_start_on, line.period_end_on))
    return without_days(line)


def without_days(line: InvoiceLine) -> str:
    """Say when what the line is about takes place, where no days are known for it."""
    return {
        InvoiceLine.Kind.RECURRING: _("from activation"),
        InvoiceLine.Kind.PACKAGE: _("from activation"),
        InvoiceLine.Kind.SETUP: _("once"),
        InvoiceLine.Kind.CREDIT: _("on receipt of payment"),
        InvoiceLine.Kind.DISCOUNT: _("once"),
        InvoiceLine.Kind.EXCHANGE: "–",
    }[InvoiceLine.Kind(line.kind)]


def _sums(invoice: Invoice, taxes: Sequence[InvoiceTax], form: Format) -> Pairs:
    pairs = [(_("Net amount"), form.money(invoice.net_minor))]
    if invoice.tax_note == tax.SMALL_BUSINESS:
        return []
    for group in taxes:
        words = {"rate": form.percent(group.tax_bp), "net": form.money(group.net_minor)}
        label = _("VAT %(rate)s on %(net)s") % words
        pairs.append((label, form.money(group.tax_minor)))
    return pairs


def _rest(invoice: Invoice, form: Format) -> Pairs:
    """A part that came in is shown with what is left; a full payment is told below the sums."""
    balance = (_("From your balance"), invoice.prepaid_minor)
    if invoice.state != Invoice.State.OPEN:
        return [(label, form.money(minor)) for label, minor in [balance] if minor]
    if invoice.due == invoice.total:
        return []
    came = [
        balance,
        (_("Already paid"), invoice.paid_minor - invoice.prepaid_minor),
        (_("Credited"), invoice.credited_minor),
        (_("Still to be paid"), invoice.due.minor),
    ]
    return [(label, form.money(minor)) for label, minor in came if minor]


def _payment(invoice: Invoice, form: Format) -> dict[str, Any]:
    """Say what is still to be done about the money, in the state the invoice is in now."""
    block: dict[str, Any] = {"facts": [], "qr": "", "qr-label": _("Pay by banking app")}
    if invoice.is_credit_note:
        return {**block, **_credited(invoice, form)}
    if invoice.state == Invoice.State.CANCELLED:
        text = _("Nothing is to be paid for it.")
        return {**block, "title": _("This invoice is cancelled"), "text": text}
    if not invoice.due:
        return {**block, "title": _paid(invoice, form), "text": _("Nothing is to be paid.")}
    words = {"amount": form.money(invoice.due.minor), "date": form.date(invoice.due_on)}
    block["title"] = _("Please pay %(amount)s by %(date)s") % words
    if not invoice.seller["iban"]:
        return {**block, "text": _("You can pay it in your client area.")}
    text = _("By bank transfer to the account below, or in your client area.")
    return {**block, "text": text, **_transfer(invoice)}


def _credited(invoice: Invoice, form: Format) -> dict[str, str]:
    """Where the money went is the same in every print, whatever became of the invoice since."""
    words = {"amount": form.money(invoice.total_minor)}
    text = _(
        "It lowers what is still to be paid on the invoice. "
        "What was paid before is kept as your credit with us."
    )
    return {"title": _("We credit you %(amount)s") % words, "text": text}


def _paid(invoice: Invoice, form: Format) -> str:
    if invoice.paid_at is None or not invoice.total_minor:
        return _("Nothing is due")
    on = business_day(invoice.paid_at, invoice.seller.get("zone", settings.TIME_ZONE))
    words = {"amount": form.money(invoice.paid_minor), "date": form.date(on)}
    return _("Paid: %(amount)s on %(date)s") % words


def _transfer(invoice: Invoice) -> dict[str, Any]:
    seller, reference = invoice.seller, str(invoice.number)
    code = girocode.of(invoice)
    facts = [
        (_("Account holder"), seller["bank_holder"] or seller["company"]),
        (_("IBAN"), in_fours(seller["iban"])),
        (_("BIC"), seller["bic"]),
        (_("Reference"), reference),
    ]
    return {
        "facts": [(label, value) for label, value in facts if value],
        "qr": girocode.svg(code) if code else "",
    }


def _footer(seller: dict[str, str], form: Format) -> list[list[str]]:
    ids = [(_("VAT number"), seller["vat_id"]), (_("Tax number"), seller["tax_number"])]
    bank = [(_("IBAN"), in_fours(seller["iban"])), (_("BIC"), seller["bic"])]
    columns = [
        _place(seller, form, with_country=True),
        [seller["support_email"], *_labelled(ids)],
        [seller["bank_holder"], *_labelled(bank)],
    ]
    return [present for column in columns if (present := [text for text in column if text])]


def _closing(seller: dict[str, str], form: Format) -> str:
    """Return the operator's own words; papers of before there were any have none."""
    own = seller.get(f"invoice_footer_{form.locale.language}", "")
    return own or seller.get("invoice_footer_en", "")


def _labelled(pairs: Pairs) -> list[str]:
    return [f"{label}: {value}" for label, value in pairs if value]
