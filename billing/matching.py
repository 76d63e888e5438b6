"""Which invoices a bank entry pays: booked by itself only where the reference leaves no doubt."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum

from django.db.models import F, QuerySet

from billing.bank import references
from billing.bank.references import Candidate
from billing.gateways.bank_transfer import BankTransfer
from billing.models import BankEntry, Invoice, Payment
from packages.money import Money, total

Clue = BankEntry.Clue
MOST_PROPOSALS = 8
MOST_LOOKED_AT = 500
# An invoice, and whether its number stands there exactly.
Named = tuple[Invoice, bool]


class Confidence(IntEnum):
    """How sure a proposal is, the surest first; the words are the desk's."""

    REFERENCE = 1
    UNSURE_REFERENCE = 2
    NAME_AND_AMOUNT = 3
    ACCOUNT_AND_AMOUNT = 4
    ACCOUNT = 5
    AMOUNT = 6


@dataclass(frozen=True, slots=True)
class Decision:
    """What to do with an entry: book these parts, or say that staff booked it, or ask staff.

    `named` are the invoices that it names exactly; what is to be done depends on no others.
    """

    named: tuple[Invoice, ...] = ()
    parts: tuple[tuple[Invoice, Money], ...] = ()
    booked: Payment | None = None
    clue: str = ""


@dataclass(frozen=True, slots=True)
class Proposal:
    invoice: Invoice
    confidence: Confidence


def text_of(entry: BankEntry) -> str:
    """Return everything in which the customer may have quoted a number."""
    return f"{entry.text} {entry.end_to_end}"


def foresee(texts: Sequence[str]) -> list[str]:
    """Return for each text why it may not be booked by itself, '' for none; one query for all."""
    meant = [references.candidates(text) for text in texts]
    numbers = {each.number for every in meant for each in every}
    found = set(_invoices(numbers).values_list("number", flat=True))
    return [_clue([each for each in every if each.number in found]) for every in meant]


def decide(entries: Sequence[BankEntry]) -> list[Decision]:
    """Judge each entry as it and its invoices are now, none by what the others will do; two queries
    for all.

    One open invoice that is exactly named takes it, whatever the sum: less is a part payment, more
    goes onto the balance. Several need their exact sum. A transfer that staff confirmed by hand,
    over the same sum, is this one.
    """
    found = [[] if _is_returned(each) else named for each, named in _named_by(entries)]
    by_hand = _confirmed_by_hand([each for named in found for each, sure in named if sure])
    return [_decide(entry, named, by_hand) for entry, named in zip(entries, found, strict=True)]


def _decide(
    entry: BankEntry, found: Sequence[Named], by_hand: Mapping[int, Sequence[Payment]]
) -> Decision:
    if _is_returned(entry):
        return Decision(clue=Clue.RETURNED)
    exact = tuple(each for each, sure in found if sure)
    if not exact:
        return Decision(clue=Clue.UNSURE if found else Clue.NO_REFERENCE)
    if any(each.currency != entry.currency for each in exact):
        return Decision(exact, clue=Clue.CURRENCY)
    confirmed = (each for invoice in exact for each in by_hand.get(invoice.pk, ()))
    same = [each for each in confirmed if each.amount == entry.rest]
    if same:
        return Decision(exact, booked=min(same, key=lambda each: each.pk))
    if any(each.state != Invoice.State.OPEN for each in exact):
        return Decision(exact, clue=Clue.NOT_OPEN)
    if len(exact) == 1:
        return Decision(exact, parts=((exact[0], entry.rest),))
    if total((each.due for each in exact), entry.currency) == entry.rest:
        return Decision(exact, parts=tuple((each, each.due) for each in exact))
    return Decision(exact, clue=Clue.SEVERAL)


def _is_returned(entry: BankEntry) -> bool:
    return entry.amount_minor <= 0 or entry.returned


def proposals(entry: BankEntry) -> list[Proposal]:
    """Return invoices that an entry may be for, the surest first; reads only, a few queries."""
    found: dict[int, Proposal] = {}
    sure, unsure = Confidence.REFERENCE, Confidence.UNSURE_REFERENCE
    [(_entry, named)] = _named_by([entry])
    for invoice, exact in named:
        if invoice.currency == entry.currency:
            found[invoice.pk] = Proposal(invoice, sure if exact else unsure)
    known = _customers_of(entry.iban)
    for invoice in _open_over(entry.rest):
        confidence = Confidence.AMOUNT
        if invoice.customer_id in known:
            confidence = Confidence.ACCOUNT_AND_AMOUNT
        if _is_from(entry, invoice):
            confidence = Confidence.NAME_AND_AMOUNT
        found.setdefault(invoice.pk, Proposal(invoice, confidence))
    for invoice in _open(entry.currency).filter(customer_id__in=known)[:MOST_PROPOSALS]:
        found.setdefault(invoice.pk, Proposal(invoice, Confidence.ACCOUNT))
    every = sorted(found.values(), key=lambda each: (each.confidence, each.invoice.pk))
    if any(each.confidence < Confidence.AMOUNT for each in every):
        every = [each for each in every if each.confidence < Confidence.AMOUNT]
    return every[:MOST_PROPOSALS]


def _clue(named: Sequence[Candidate]) -> str:
    if any(each.exact for each in named):
        return ""
    return Clue.UNSURE if named else Clue.NO_REFERENCE


def _named_by(entries: Sequence[BankEntry]) -> list[tuple[BankEntry, list[Named]]]:
    """Return beside each entry the invoices that it names, by id; no credit notes. One query."""
    meant = [_numbers(text_of(each)) for each in entries]
    rows = _invoices({number for every in meant for number in every})
    found = rows.filter(kind=Invoice.Kind.INVOICE).select_related("customer").order_by("pk")
    by_number = {str(row.number): row for row in found}
    return [
        (entry, sorted(_named(every, by_number), key=lambda each: each[0].pk))
        for entry, every in zip(entries, meant, strict=True)
    ]


def _named(sure: Mapping[str, bool], by_number: Mapping[str, Invoice]) -> Iterator[Named]:
    for number in sure.keys() & by_number.keys():
        yield by_number[number], sure[number]


def _invoices(numbers: Iterable[str]) -> QuerySet[Invoice]:
    return Invoice.objects.filter(number__in=list(numbers))


def _numbers(text: str) -> dict[str, bool]:
    """Return the numbers that a text may mean, and whether one stands there exactly."""
    sure: dict[str, bool] = {}
    for each in references.candidates(text):
        sure[each.number] = sure.get(each.number, False) or each.exact
    return sure


def _confirmed_by_hand(invoices: Sequence[Invoice]) -> dict[int, list[Payment]]:
    """Return the transfers that staff confirmed before their statement came, by their invoice."""
    confirmed: dict[int, list[Payment]] = {}
    for each in Payment.objects.filter(
        invoice__in=invoices,
        gateway=BankTransfer.code,
        state=Payment.State.SUCCEEDED,
        bank_entry__isnull=True,
    ):
        confirmed.setdefault(each.invoice_id, []).append(each)
    return confirmed


def _open(currency: str) -> QuerySet[Invoice]:
    rows = Invoice.objects.filter(state=Invoice.State.OPEN, currency=currency)
    return rows.select_related("customer").order_by("due_on", "pk")


def _open_over(amount: Money) -> list[Invoice]:
    left = F("paid_minor") + F("credited_minor") + F("written_off_minor") + amount.minor
    return list(_open(amount.currency).filter(total_minor=left)[:MOST_LOOKED_AT])


def _is_from(entry: BankEntry, invoice: Invoice) -> bool:
    names = (invoice.customer.name, invoice.customer.company)
    return any(references.alike(entry.name, name) for name in names)


def _customers_of(iban: str) -> set[int]:
    """Return whose transfers came from this account before."""
    if not iban:
        return set()
    paid = Payment.objects.filter(bank_entry__iban=iban, state=Payment.State.SUCCEEDED)
    return set(paid.values_list("customer_id", flat=True).distinct()[:MOST_PROPOSALS])
