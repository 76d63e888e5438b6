"""Bank entries: booked by themselves where it is clear, by staff where it is not, each once.

The entry's row is locked before anything it pays, and counts what of it is booked: so neither two
workers nor a worker and staff book one line twice.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

import structlog
from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from billing import matching, refunds, transfers
from billing.locks import take_entry, take_for_invoices
from billing.models import BankEntry, Customer, Invoice, Payment, current_brand
from packages.desk import Impossible
from packages.desk.cells import amount as shown
from packages.money import Money, total
from packages.periods import start_of_day
from packages.sweeping import any_of, each
from provisioning.pools import NoServer

log = structlog.get_logger()

State, Clue = BankEntry.State, BankEntry.Clue
ACTOR = "system:statement"
BATCH = 500
# A transfer is worth its day; later in it than most, so that it is never before its invoice.
NOON = timedelta(hours=12)


def book_matched(*, at: datetime, file_id: int | None = None) -> None:
    """Book every entry that names its invoice, the oldest first, each in a transaction of its own.

    What another worker just books is passed by. What turns out not to be clear goes to staff, and
    so does what fails; raises the first such fault when all others are done.
    """
    if not _any_is_matched():
        return
    rows = _matched()
    if file_id is not None:
        rows = rows.filter(file=file_id)
    last: tuple[int, ...] = ()
    while ids := tuple(rows.order_by("booked_on", "pk").values_list("pk", flat=True)[:BATCH]):
        if ids == last:
            return
        last = ids
        each(ids, lambda entry_id: _book(entry_id, at=at))


def _matched() -> QuerySet[BankEntry]:
    return BankEntry.objects.filter(state=State.MATCHED)


_any_is_matched = any_of(_matched)


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
        entry = take_entry(payment.bank_entry_id) if payment.bank_entry_id else None
        if entry is None:
            raise Impossible(_("This payment did not come from a bank statement."))
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


def _book(entry_id: int, *, at: datetime) -> None:
    try:
        with transaction.atomic():
            entry = take_entry(entry_id, pass_by=True)
            if entry is not None and entry.state == State.MATCHED:
                _carry_out(entry, matching.decide(entry), at=at)
    except NoServer:
        # Nothing is booked by then; the sweep comes back to it when a dialler takes orders again.
        log.error("bank_entry.no_server", entry=entry_id)
    except Exception:
        # A fault of ours must not hold up the other lines, nor be tried for ever.
        with transaction.atomic():
            entry = take_entry(entry_id)
            if entry is not None and entry.state == State.MATCHED:
                _leave(entry, Clue.FAULT, at=at)
        raise


def _carry_out(entry: BankEntry, decision: matching.Decision, *, at: datetime) -> None:
    if decision.booked is not None:
        # Locked with its invoice, so that no other entry is told the same meanwhile.
        take_for_invoices([decision.booked.invoice], payments=[decision.booked.pk])
        free = Payment.objects.filter(pk=decision.booked.pk, bank_entry__isnull=True)
        if free.update(bank_entry=entry):
            _count(entry, entry.rest, at=at, actor=ACTOR, reason="was confirmed by hand")
        else:
            _leave(entry, Clue.NOT_OPEN, at=at)
    elif decision.parts:
        _assign(entry, decision.parts, at=at, actor=ACTOR)
    else:
        _leave(entry, decision.clue, at=at)


def _assign(
    entry: BankEntry, parts: Sequence[tuple[Invoice, Money]], *, at: datetime, actor: str
) -> list[Payment]:
    """Book the parts of the locked entry; all that several concern is locked at once."""
    if any(invoice.currency != entry.currency for invoice, _part in parts):
        raise Impossible(_("The invoice has another currency than this entry."))
    if len(parts) > 1:
        take_for_invoices(
            [each for invoice, _part in parts for each in transfers.concerned(invoice)]
        )
    arrived_at = min(at, start_of_day(entry.booked_on, current_brand().zone) + NOON)
    paid = [
        transfers.book(invoice, part, arrived_at=arrived_at, at=at, actor=actor, entry=entry)
        for invoice, part in parts
    ]
    numbers = ", ".join(str(invoice.number) for invoice, _part in parts)
    amount = total((part for _invoice, part in parts), entry.currency)
    _count(entry, amount, at=at, actor=actor, reason=f"booked for {numbers}")
    return paid


def _count(entry: BankEntry, amount: Money, *, at: datetime, actor: str, reason: str) -> None:
    entry.assigned_minor += amount.minor
    also = ("assigned_minor", "clue")
    if entry.rest:
        entry.save(update_fields=also)
        return
    entry.clue = ""
    entry.move(State.BOOKED, at=at, actor=actor, reason=reason, also=also)


def _leave(entry: BankEntry, clue: str, *, at: datetime) -> None:
    entry.clue = clue
    entry.move(State.OPEN, at=at, actor=ACTOR, reason=str(Clue(clue).value), also=("clue",))


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
    held = take_entry(entry.pk)
    if held is None or held.state != state:
        raise Impossible(_("This entry was dealt with meanwhile."))
    return held
