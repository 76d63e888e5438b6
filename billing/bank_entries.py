"""Bank entries: what comes in is booked once, by staff where it is not clear what it pays.

The entry's row is locked before anything it pays, and counts what of it is booked: so neither two
workers nor a worker and staff book one line twice.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.utils.translation import gettext as _

from billing import refunds, transfers
from billing.locks import Held, take_entries
from billing.models import BankEntry, Customer, Invoice, Payment, current_brand
from packages import rows
from packages.desk import Impossible
from packages.desk.cells import amount as shown
from packages.money import Money, total
from packages.periods import start_of_day
from packages.states import move

State, Clue = BankEntry.State, BankEntry.Clue
Parts = Sequence[tuple[Invoice, Money]]
# An entry, what of it was booked, and what for.
Counted = tuple[BankEntry, Money, str]
# A transfer is worth its day; later in it than most, so that it is never before its invoice.
NOON = timedelta(hours=12)


def assign(
    entry: BankEntry, invoice: Invoice, amount: Money, *, at: datetime, actor: str
) -> Payment:
    """Book a part of an entry, or all of it, for an invoice, also one that is not open any more.

    A part leaves the rest with staff. Takes the entry's and the invoice's locks; raises Impossible.
    """
    with transaction.atomic():
        held = _within(_held(entry, State.OPEN), amount)
        return _assign(held, [(invoice, amount)], at=at, actor=actor)[0]


def assign_to_customer(
    entry: BankEntry, customer: Customer, amount: Money, *, at: datetime, actor: str
) -> list[Payment]:
    """Book a part of an entry, or all of it, for a customer: their open invoices, the oldest first.

    What is left then goes onto their balance. Money needs a document it came for, so a customer
    without any invoice raises Impossible.
    """
    with transaction.atomic():
        held = _within(_held(entry, State.OPEN), amount)
        same = customer.invoices.filter(kind=Invoice.Kind.INVOICE, currency=held.currency)
        issued = same.exclude(state=Invoice.State.DRAFT)
        latest = issued.order_by("-issued_on", "-pk").first()
        if latest is None:
            raise Impossible(
                _("This customer has no invoice in %(currency)s that the money could be for.")
                % {"currency": held.currency}
            )
        due = list(issued.filter(state=Invoice.State.OPEN).order_by("due_on", "pk"))
        return _assign(held, _shares(due, amount, or_else=latest), at=at, actor=actor)


def ignore(entry: BankEntry, *, reason: str, at: datetime, actor: str) -> None:
    """Put an entry aside that is no customer's payment; raises Impossible."""
    with transaction.atomic():
        held = _held(entry, State.OPEN)
        if held.assigned_minor:
            raise Impossible(_("A part of this entry is booked; take that back first."))
        held.move(State.IGNORED, at=at, actor=actor, reason=reason)


def reopen(entry: BankEntry, *, reason: str, at: datetime, actor: str) -> None:
    """Take up an entry again that was put aside; raises Impossible."""
    with transaction.atomic():
        _held(entry, State.IGNORED).move(State.OPEN, at=at, actor=actor, reason=reason)


def undo(payment: Payment, *, reason: str, at: datetime, actor: str) -> None:
    """Take a booking back to its bank entry, by a booking the other way round.

    Only what is on the customer's balance can be taken back: what an invoice got is credited there
    first. Takes the locks of the entry, the payment and the balance; raises Impossible.
    """
    with transaction.atomic():
        if payment.bank_entry_id is None:
            raise Impossible(_("This payment did not come from a bank statement."))
        [entry] = take_entries([payment.bank_entry_id])
        try:
            undone = refunds.undo(payment, reason=reason, at=at, actor=actor)
        except refunds.NotRefundable as error:
            raise Impossible(
                _("The money is not on the customer's balance. Credit the invoice first.")
            ) from error
        entry.assigned_minor -= undone.amount_minor
        entry.clue = Clue.UNDONE
        also = ("assigned_minor", "clue")
        if entry.state == State.BOOKED:
            entry.move(State.OPEN, at=at, actor=actor, reason=reason, also=also)
        else:
            entry.save(update_fields=also)


def undoable(payment: Payment) -> bool:
    """Say whether all of a booked payment is still on the customer's balance."""
    came = payment.bank_entry_id is not None and payment.state == Payment.State.SUCCEEDED
    return came and refunds.left_of(payment) == payment.amount


def book(
    assigned: Sequence[tuple[BankEntry, Parts]], held: Held, *, at: datetime, actor: str
) -> list[Payment]:
    """Book the parts of locked entries, no two of which concern one customer; all that they concern
    is locked.
    """
    zone, paid = current_brand().zone, list[Payment]()
    # Those of one entry one after the other, for they may be one customer's.
    for nth in range(max((len(parts) for _row, parts in assigned), default=0)):
        arrivals = [
            transfers.Arrival(*parts[nth], min(at, start_of_day(row.booked_on, zone) + NOON), row)
            for row, parts in assigned
            if nth < len(parts)
        ]
        if nth:
            # The parts before changed some of it.
            held = transfers.held_for(each.invoice for each in arrivals)
        paid += transfers.book(arrivals, held, at=at, actor=actor)
    count([_told(entry, parts) for entry, parts in assigned], at=at, actor=actor)
    return paid


def count(counted: Sequence[Counted], *, at: datetime, actor: str) -> None:
    """Count these sums as booked of their entries, which are in one state."""
    for entry, amount, _reason in counted:
        entry.assigned_minor += amount.minor
    also = ("assigned_minor", "clue")
    rows.update([entry for entry, _amount, _reason in counted if entry.rest], *also)
    whole = [(entry, reason) for entry, _amount, reason in counted if not entry.rest]
    for entry, _reason in whole:
        entry.clue = ""
    entries, reasons = [each[0] for each in whole], [each[1] for each in whole]
    move(entries, State.BOOKED, at=at, actor=actor, reason=reasons, also=also)


def _told(entry: BankEntry, parts: Parts) -> Counted:
    numbers = ", ".join(str(invoice.number) for invoice, _part in parts)
    return entry, total((part for _invoice, part in parts), entry.currency), f"booked for {numbers}"


def _assign(entry: BankEntry, parts: Parts, *, at: datetime, actor: str) -> list[Payment]:
    """Book the parts of the locked entry; all that they concern is locked at once."""
    if any(invoice.currency != entry.currency for invoice, _part in parts):
        raise Impossible(_("The invoice has another currency than this entry."))
    held = transfers.held_for(invoice for invoice, _part in parts)
    return book([(entry, parts)], held, at=at, actor=actor)


def _shares(
    invoices: Sequence[Invoice], amount: Money, *, or_else: Invoice
) -> list[tuple[Invoice, Money]]:
    """Share a sum out over what is due, the first ones first; the last one carries the rest."""
    parts = []
    for invoice in invoices:
        part = min(amount, invoice.due)
        if part:
            parts.append((invoice, part))
            amount -= part
    if not amount:
        return parts
    invoice, part = parts.pop() if parts else (or_else, Money.zero(amount.currency))
    return [*parts, (invoice, part + amount)]


def _within(entry: BankEntry, amount: Money) -> BankEntry:
    """Return the locked entry if so much of it is left to book."""
    if not Money.zero(entry.currency) < amount <= entry.rest:
        raise Impossible(_("Of this entry %(rest)s are left.") % {"rest": shown(entry.rest)})
    return entry


def _held(entry: BankEntry, state: BankEntry.State) -> BankEntry:
    [held] = take_entries([entry.pk])
    if held.state != state:
        raise Impossible(_("This entry was dealt with meanwhile."))
    return held
