"""Why an invoice asks for what it asks, and a credit note gives what it gives."""

from dataclasses import replace

from django.urls import reverse
from django.utils.translation import gettext as _

from billing import tax
from billing.models import Invoice, InvoiceLine, Mail
from packages.money import Money
from storefront.reasons.reason import Input, Reason, adds_up, counted, known, rates, why
from storefront.templatetags.money import day, moment, money_filter

AMOUNT = "why-amount"


def of_invoice(invoice: Invoice) -> list[Reason]:
    """Say why an issued invoice asks for this sum, with this VAT, on this day; of a credit note why
    it gives this much back. A draft has no reasons yet.
    """
    lines = list(invoice.lines.all())
    if invoice.issued_on is None:
        return []
    if invoice.is_credit_note:
        return [_given_back(invoice, lines), _same_vat(invoice)]
    return [_amount(invoice, lines), _vat(invoice), _due(invoice, lines)]


def of_order(invoice: Invoice) -> list[Reason]:
    """Say the same on the page of the invoice's order, which need not lead to itself."""
    return [
        replace(each, link="") if each.anchor == AMOUNT else each for each in of_invoice(invoice)
    ]


def _amount(invoice: Invoice, lines: list[InvoiceLine]) -> Reason:
    order = invoice.order
    words = {"time": moment(invoice.issued_at)}
    return Reason(
        AMOUNT,
        why(invoice.total),
        adds_up(gross=invoice.prices_include_tax),
        _charges(lines),
        _("Your order") if order else _("Renewal, issued %(time)s") % words,
        reverse("storefront:order", args=[order.public_id]) if order else "",
    )


def _given_back(note: Invoice, lines: list[InvoiceLine]) -> Reason:
    assert note.corrects is not None
    return Reason(
        AMOUNT,
        why(note.total),
        _("So much of invoice %(number)s is taken back, line by line, at the prices you paid.")
        % {"number": note.corrects.number},
        _charges(lines),
        _("Credited %(time)s: %(reason)s")
        % {"time": moment(note.issued_at), "reason": note.reason},
        reverse("storefront:invoice", args=[note.corrects.public_id]),
    )


def _charges(lines: list[InvoiceLine]) -> list[Input]:
    return [
        Input(counted(each.quantity, each.description), money_filter(each.amount)) for each in lines
    ]


def _vat(invoice: Invoice) -> Reason:
    rule = tax.sentence(invoice.tax_note) or _(
        "The rate in force on the last day that is paid for, on the sum of all lines of that rate, "
        "once."
    )
    return _with_rates(invoice, rule)


def _same_vat(note: Invoice) -> Reason:
    rule = tax.sentence(note.tax_note) or _("The rates of the invoice that it corrects.")
    return _with_rates(note, rule)


def _with_rates(invoice: Invoice, rule: str) -> Reason:
    groups = (
        (each.tax_bp, _minor(each.net_minor, invoice), _minor(each.tax_minor, invoice))
        for each in invoice.taxes.all()
    )
    inputs = [*rates(groups), *known(invoice.buyer)]
    return Reason("why-vat", _("Why this VAT?"), rule, inputs)


def _due(invoice: Invoice, lines: list[InvoiceLine]) -> Reason:
    assert invoice.due_on is not None
    assert invoice.issued_on is not None
    words = {"day": day(invoice.due_on), "days": (invoice.due_on - invoice.issued_on).days}
    starts = {each.period_start_on for each in lines}
    if invoice.order is None and invoice.due_on in starts:
        rule = _("A renewal is due on the first day of the period that it pays for.")
    else:
        rule = _("%(days)s days after the date of the invoice.") % words
    mail = _announced(invoice)
    return Reason(
        "why-due",
        _("Why due on %(day)s?") % words,
        rule,
        [
            Input(_("Date of the invoice"), day(invoice.issued_on)),
            Input(_("Due"), day(invoice.due_on)),
        ],
        _("Mailed %(time)s") % {"time": moment(mail.sent_at or mail.created_at)} if mail else "",
        reverse("storefront:mail", args=[mail.pk]) if mail else "",
    )


def _announced(invoice: Invoice) -> Mail | None:
    causes = [f"invoice-{invoice.pk}"]
    if invoice.order is not None:
        causes.append(f"order-{invoice.order.pk}")
    told = Mail.objects.filter(customer=invoice.customer, cause__in=causes).exclude(text="")
    wanted = told.filter(template__in=("invoice_issued", "order_placed"))
    return wanted.defer("text", "html", "sealed").order_by("pk").first()


def _minor(minor: int, invoice: Invoice) -> Money:
    return Money(minor, invoice.currency)
