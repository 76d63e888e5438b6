"""Why an amount, a due date or a suspension is as it is: the rule, the inputs, the event behind it.

Everything is read from rows that were written then, or from the quote that is shown; nothing is
worked out anew.
"""

from dataclasses import dataclass, field

from django.urls import reverse
from django.utils.translation import gettext as _

from billing import balances, checkout, tax
from billing.models import Brand, Invoice, InvoiceLine, Mail, Notice, Order, OrderLine, Subscription
from packages.money import Money
from packages.states import history_of
from storefront.templatetags.money import day, moment, money_filter, percent


@dataclass(frozen=True, slots=True)
class Reason:
    """One answer. `event` is what made it so, `link` where that is read."""

    title: str
    rule: str
    inputs: list[tuple[str, str]] = field(default_factory=list)
    event: str = ""
    link: str = ""


def of_invoice(invoice: Invoice) -> list[Reason]:
    """Say why an issued invoice asks for this sum, with this VAT, on this day."""
    lines = list(invoice.lines.all())
    if invoice.is_credit_note or invoice.issued_on is None or invoice.due_on is None:
        return []
    return [_amount(invoice, lines), _vat(invoice), _due(invoice, lines)]


def of_quote(quote: checkout.Quote, brand: Brand) -> list[Reason]:
    """Say why an order would cost this sum, with this VAT; the invoice says the same afterwards."""
    priced = quote.priced
    lines = zip(priced.draft.lines, priced.units, strict=True)
    charges = [
        (_counted(line.quantity, line.description), money_filter(unit.times(line.quantity)))
        for line, unit in lines
    ]
    why = _("Why %(amount)s?") % {"amount": money_filter(quote.total)}
    groups = [(each.rate_bp, each.net, each.tax) for each in priced.sums.groups]
    rule = tax.sentence(priced.treatment.note) or _(
        "The rate of the country whose VAT you pay, as of the last day that is paid for, on the "
        "sum of all lines of that rate, once."
    )
    buyer = priced.draft.customer.address
    return [
        Reason(why, _adds_up(gross=brand.prices_include_tax), charges),
        Reason(_("Why this VAT?"), rule, [*_groups(groups), *_known(buyer)]),
    ]


def of_balance(lines: list[balances.Line]) -> list[Reason]:
    """Say what a balance is made of: what came onto it, less what went from it."""
    parts: dict[str, Money] = {}
    for line in lines:
        what = _kind(line)
        parts[what] = parts.get(what, Money.zero(line.amount.currency)) + line.amount
    amount = money_filter(lines[0].after)
    return [
        Reason(
            _("Why %(amount)s?") % {"amount": amount},
            _(
                "What you paid beyond an invoice, or got credited for one that was paid, less what "
                "has paid invoices since or was sent back to you. Each change is listed above with "
                "its document."
            ),
            [(what, money_filter(sum_)) for what, sum_ in parts.items()],
        )
    ]


def _kind(line: balances.Line) -> str:
    if line.booking.refund_id:
        return _("Sent back to you")
    if line.booking.allocation_id:
        return _("Used for invoices")
    return _("Paid too much") if line.booking.payment_id else _("Credit notes")


def of_service(subscription: Subscription) -> list[Reason]:
    """Say why a service costs what it costs, and why it stands still where it does."""
    reasons = [_price(subscription)]
    if subscription.state == Subscription.State.SUSPENDED:
        reasons.insert(0, _suspension(subscription))
    return reasons


def _amount(invoice: Invoice, lines: list[InvoiceLine]) -> Reason:
    order = invoice.order
    words = {"time": moment(invoice.issued_at)}
    return Reason(
        _("Why %(amount)s?") % {"amount": money_filter(invoice.total)},
        _adds_up(gross=invoice.prices_include_tax),
        [(_counted(each.quantity, each.description), money_filter(each.amount)) for each in lines],
        _("Your order") if order else _("Renewal, issued %(time)s") % words,
        reverse("storefront:order", args=[order.public_id]) if order else "",
    )


def _adds_up(*, gross: bool) -> str:
    if gross:
        return _("Quantity times agreed price, VAT included, line by line.")
    return _("Quantity times agreed price, line by line, then VAT on top.")


def _counted(quantity: int, description: str) -> str:
    return description if quantity == 1 else f"{quantity} × {description}"


def _vat(invoice: Invoice) -> Reason:
    rule = tax.sentence(invoice.tax_note) or _(
        "The rate in force on the last day that is paid for, on the sum of all lines of that rate, "
        "once."
    )
    groups = [
        (each.tax_bp, _minor(each.net_minor, invoice), _minor(each.tax_minor, invoice))
        for each in invoice.taxes.all()
    ]
    return Reason(_("Why this VAT?"), rule, [*_groups(groups), *_known(invoice.buyer)])


def _groups(groups: list[tuple[int, Money, Money]]) -> list[tuple[str, str]]:
    """Return rate, net and tax of each group, in words."""
    said = _("%(rate)s of %(net)s")
    return [
        (said % {"rate": percent(rate_bp), "net": money_filter(net)}, money_filter(tax_))
        for rate_bp, net, tax_ in groups
    ]


def _known(buyer: dict[str, str]) -> list[tuple[str, str]]:
    known = [(_("Country"), buyer.get("country", "")), (_("VAT id"), buyer.get("vat_id", ""))]
    return [each for each in known if each[1]]


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
        _("Why due on %(day)s?") % words,
        rule,
        [(_("Date of the invoice"), day(invoice.issued_on)), (_("Due"), day(invoice.due_on))],
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


def _price(subscription: Subscription) -> Reason:
    agreed = OrderLine.objects.filter(subscription=subscription).exclude(kind=OrderLine.Kind.TOP_UP)
    line = agreed.exclude(order__state=Order.State.CANCELLED).select_related("order").last()
    inputs = [
        (_("Price"), money_filter(subscription.amount)),
        (_("Charged"), str(subscription.get_cycle_display())),
    ]
    if subscription.quantity != 1:
        inputs.append((_("Quantity"), str(subscription.quantity)))
    words = {"day": day(line.order.placed_at) if line else ""}
    return Reason(
        _("Why %(amount)s?") % {"amount": money_filter(subscription.amount)},
        _("The price you agreed to stays until you change the package or we announce another."),
        inputs,
        _("Ordered %(day)s") % words if line else "",
        reverse("storefront:order", args=[line.order.public_id]) if line else "",
    )


def _suspension(subscription: Subscription) -> Reason:
    """Name the notice that suspended the service; without one, staff or a dispute did."""
    theirs = Notice.objects.filter(
        step=Notice.Step.SUSPENDED, invoice__lines__subscription=subscription
    )
    notice = theirs.select_related("invoice", "timetable", "mail").order_by("-pk").first()
    change = history_of(subscription).filter(after="suspended").order_by("-id").first()
    since = moment(change.at) if change else ""
    if notice is None or notice.invoice.state != Invoice.State.OPEN:
        rule = _("It was not suspended for an unpaid invoice. Please ask us.")
        return Reason(_("Why suspended?"), rule, [(_("Since"), since)])
    invoice = notice.invoice
    words = {"days": notice.days, "number": invoice.number}
    return Reason(
        _("Why suspended?"),
        _("Invoice %(number)s was not paid %(days)s days after its due date.") % words,
        [
            (_("Due"), day(invoice.due_on)),
            (_("Owed then"), money_filter(notice.due)),
            (_("Since"), since),
        ],
        _("Announced and mailed %(time)s") % {"time": moment(notice.at)},
        reverse("storefront:mail", args=[notice.mail.pk]),
    )


def _minor(minor: int, invoice: Invoice) -> Money:
    return Money(minor, invoice.currency)
