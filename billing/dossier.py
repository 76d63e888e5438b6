"""Everything about a customer on one page: the latest of each kind, and where the rest is."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from functools import partial

from django.db.models import Model, Q
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from billing import ageing, consents, gateways
from billing.models import (
    Customer,
    Invoice,
    Mail,
    Order,
    Payment,
    Posting,
    Remark,
    Subscription,
    Ticket,
)
from packages.desk import actors, causes, reasons
from packages.desk.cells import EMPTY, amount, capital, list_url, moment, row_url, state
from packages.desk.tables import Cell, Table
from packages.money import Money
from provisioning.models import Job

LATEST = 6


@dataclass(frozen=True, slots=True)
class Part:
    """A table of the latest rows, and the list of all of them."""

    table: Table
    url: str


def of(customer: Customer, may: Callable[[str], bool], *, on: date) -> list[Part]:
    """Return the parts that a person with these rights may see; two queries each at most."""
    makers: dict[str, Callable[[Customer], Part]] = {
        "billing.view_subscription": _services,
        "billing.view_remark": _remarks,
        "billing.view_ticket": _tickets,
        "billing.view_invoice": partial(_invoices, on=on),
        "billing.view_payment": _payments,
        "billing.view_posting": _books,
        "billing.view_order": _orders,
        "provisioning.view_job": _jobs,
        "billing.view_mail": _mails,
        "billing.view_customer": _consents,
    }
    return [make(customer) for right, make in makers.items() if may(right)]


def _remarks(customer: Customer) -> Part:
    found = Remark.objects.filter(customer=customer)[:LATEST]
    names = actors.told(each.actor for each in found)
    rows = [
        [Cell(reasons.told(each.text)), Cell(names[each.actor]), Cell(moment(each.at))]
        for each in found
    ]
    head = (_("text"), _("by"), _("entered"))
    return Part(Table("remarks", _("Remarks"), head, rows), _all(Remark, customer))


def _tickets(customer: Customer) -> Part:
    rows = [
        [Cell(each.subject, row_url(each)), Cell(state(each)), Cell(moment(each.changed_at))]
        for each in Ticket.objects.filter(customer=customer)[:LATEST]
    ]
    head = (_("subject"), _("state"), _("last message"))
    return Part(Table("tickets", _("Support requests"), head, rows), _all(Ticket, customer))


def _services(customer: Customer) -> Part:
    found = customer.subscriptions.select_related("package", "account")
    rows = []
    for each in found.order_by("ends_on", "-id")[: 2 * LATEST]:
        account = each.account
        balance = account.balance_minor if account else None
        rows.append(
            [
                Cell(str(each.package), row_url(each)),
                Cell(state(each)),
                Cell(account.username if account else EMPTY, row_url(account) if account else ""),
                Cell(state(account) if account else EMPTY),
                Cell(f"{amount(each.amount)} {each.get_cycle_display()}"),
                Cell(_day(each.paid_until)),
                Cell(None if balance is None else Money(balance, each.currency)),
            ]
        )
    head = (_("package"), _("state"), _("account"), _("at the dialler"), _("price")) + (
        _("paid until"),
        _("balance"),
    )
    return Part(Table("services", _("Services"), head, rows), _all(Subscription, customer))


def _invoices(customer: Customer, *, on: date) -> Part:
    found = customer.invoices.exclude(state=Invoice.State.DRAFT)
    rows = [
        [
            Cell(str(each), row_url(each)),
            Cell(ageing.state_of(each, on)),
            Cell(_day(each.issued_on)),
            Cell(EMPTY if each.kind == Invoice.Kind.CREDIT_NOTE else _day(each.due_on)),
            Cell(each.effect),
            Cell(each.due if each.state == Invoice.State.OPEN else None),
        ]
        for each in found.order_by("-id")[:LATEST]
    ]
    head = (_("invoice"), _("state"), _("date"), _("due"), _("total"), _("still to pay"))
    return Part(Table("invoices", _("Invoices"), head, rows), _all(Invoice, customer))


def _payments(customer: Customer) -> Part:
    rows = [
        [
            Cell(gateways.named(each.gateway), row_url(each)),
            Cell(state(each)),
            Cell(moment(each.succeeded_at or each.created_at)),
            Cell(each.amount),
        ]
        for each in customer.payments.all()[:LATEST]
    ]
    head = (_("payment"), _("state"), _("when"), _("amount"))
    return Part(Table("payments", _("Payments"), head, rows), _all(Payment, customer))


def _books(customer: Customer) -> Part:
    """What they owe and what we owe them, booking by booking; debit is positive."""
    found = Posting.objects.filter(account__customer=customer)
    found = found.select_related("account", "transaction").order_by("-id")
    latest = found[:LATEST]
    named = causes.plain(each.transaction.cause for each in latest)
    rows = [
        [
            Cell(moment(each.transaction.at)),
            Cell(capital(named[each.transaction.cause]), row_url(each.transaction)),
            Cell(capfirst(str(each.account.get_kind_display()))),
            Cell(Money(each.amount_minor, each.account.currency)),
        ]
        for each in latest
    ]
    head = (_("when"), _("booking"), _("account"), _("amount"))
    books = customer.books.values_list("pk", flat=True)
    url = list_url(Posting, account__id__in=_ids(books))
    return Part(Table("books", _("Books"), head, rows), url)


def _orders(customer: Customer) -> Part:
    found = customer.orders.select_related("invoice")
    rows = []
    for each in found[:LATEST]:
        invoice: Invoice | None = getattr(each, "invoice", None)
        rows.append(
            [
                Cell(str(each), row_url(each)),
                Cell(state(each)),
                Cell(moment(each.placed_at)),
                Cell(invoice.total if invoice else None),
            ]
        )
    head = (_("order"), _("state"), _("placed"), _("total"))
    return Part(Table("orders", _("Orders"), head, rows), _all(Order, customer))


def _jobs(customer: Customer) -> Part:
    found = Job.objects.filter(account__subscription__customer=customer).select_related("account")
    rows = [
        [
            Cell(capfirst(str(each.get_kind_display())), row_url(each)),
            Cell(state(each)),
            Cell(each.account.username),
            Cell(moment(each.finished_at or each.run_at)),
        ]
        for each in found.order_by("-id")[:LATEST]
    ]
    head = (_("job"), _("state"), _("account"), _("when"))
    accounts = customer.subscriptions.exclude(account=None).values_list("account_id", flat=True)
    url = list_url(Job, account__id__in=_ids(accounts))
    return Part(Table("jobs", _("Jobs at the dialler"), head, rows), url)


def _mails(customer: Customer) -> Part:
    found = Mail.objects.filter(Q(customer=customer) | Q(recipient__iexact=customer.email))
    fields = ("template", "subject", "state", "created_at", "sent_at")
    rows = [
        [
            Cell(str(each), row_url(each)),
            Cell(state(each)),
            Cell(moment(each.sent_at or each.created_at)),
        ]
        for each in found.only("id", *fields).order_by("-id")[:LATEST]
    ]
    head = (_("mail"), _("state"), _("when"))
    return Part(Table("mails", _("Mails"), head, rows), _all(Mail, customer))


def _consents(customer: Customer) -> Part:
    rows = [
        [
            Cell(capfirst(str(each.purpose)), row_url(each.row)),
            Cell(each.version),
            Cell(moment(each.at)),
        ]
        for each in consents.of(customer)[:LATEST]
    ]
    head = (_("agreed to"), _("version"), _("when"))
    url = reverse("admin:sheet_consents") + f"?customer={customer.pk}"
    return Part(Table("consents", _("Consents"), head, rows), url)


def _all(model: type[Model], customer: Customer) -> str:
    return list_url(model, customer__id__exact=customer.pk)


def _ids(found: Iterable[int | None]) -> str:
    return ",".join(str(each) for each in found)


def _day(on: date | None) -> str:
    return date_format(on, "DATE_FORMAT") if on else EMPTY
