"""A customer's own data: copied for them by a worker, or deleted by staff at their request."""

from datetime import datetime, timedelta

from celery import shared_task
from django.db import IntegrityError, transaction
from django.db.models import Q

from billing import data_emails, data_files
from billing.models import Customer, DataExport, DeletionRequest, User
from packages import clock
from packages.doorbell import ring
from packages.states import record_change

State, Deletion = DataExport.State, DeletionRequest.State
ACTOR = "system:data"
VALID_FOR = timedelta(days=7)
# A large customer's invoices take some minutes; a worker that died is followed by another.
LEASE = timedelta(minutes=15)


class Gone(Exception):
    """The copy was downloaded, has expired, or is not ready."""


@shared_task
def make_data_export(export_id: int) -> None:
    """Make one copy that somebody asked for."""
    make(export_id, at=clock.now())


def ask(customer: Customer, user: User, *, at: datetime) -> DataExport:
    """Ask for a copy of all data; one that is being made or waits to be taken is returned."""
    export = DataExport(customer=customer, asked_by=user, asked_at=at, again_at=at)
    try:
        with transaction.atomic():
            export.save(force_insert=True)
            actor = f"user:{user.pk}"
            record_change(export, before="", at=at, actor=actor, reason="asked for")
            ring(make_data_export, export.pk)
    except IntegrityError:
        return DataExport.objects.get(customer=customer, state__in=(State.WAITING, State.READY))
    return export


def make(export_id: int, *, at: datetime) -> None:
    """Make the copy if it waits, and mail that it is ready. Holds no lock while it is made."""
    due = DataExport.objects.filter(pk=export_id, state=State.WAITING, again_at__lte=at)
    if not due.update(again_at=at + LEASE):
        return
    content = data_files.zipped(Customer.objects.get(data_exports=export_id))
    with transaction.atomic():
        export = _held(export_id)
        if export.state != State.WAITING:
            return
        export.content, export.expires_at = content, at + VALID_FOR
        also = ("content", "expires_at")
        export.move(State.READY, at=at, actor=ACTOR, reason="made", also=also)
        data_emails.data_ready(export, at=at)


def take(export: DataExport, user: User, *, at: datetime) -> bytes:
    """Return the copy, which then is gone; raise Gone. Locks the row: it is handed out once."""
    with transaction.atomic():
        held = _held(export.pk)
        if held.state != State.READY or held.expires_at is None or held.expires_at <= at:
            raise Gone
        content, held.content = bytes(held.content), b""
        actor = f"user:{user.pk}"
        held.move(State.TAKEN, at=at, actor=actor, reason="downloaded", also=("content",))
    return content


def sweep(*, at: datetime) -> list[int]:
    """Let copies that nobody took expire; return those that are still to be made."""
    for pk in DataExport.objects.filter(state=State.READY, expires_at__lte=at).values_list("pk"):
        _expire(pk[0], at=at)
    due = Q(state=State.WAITING, again_at__lte=at)
    return list(DataExport.objects.filter(due).order_by("pk").values_list("pk", flat=True))


def ask_deletion(customer: Customer, user: User, *, at: datetime) -> DeletionRequest:
    """Ask staff to delete the customer's data; repeated while it waits it returns the first one.

    Nothing is deleted by itself: services may run, and the law has us keep some of it.
    """
    row = DeletionRequest(customer=customer, asked_by=user, asked_at=at)
    try:
        with transaction.atomic():
            row.save(force_insert=True)
            actor = f"user:{user.pk}"
            record_change(row, before="", at=at, actor=actor, reason="asked for")
            data_emails.deletion_received(row, at=at)
            data_emails.deletion_waits(row, at=at)
    except IntegrityError:
        return DeletionRequest.objects.get(customer=customer, state=Deletion.RECEIVED)
    return row


def answer_deletion(
    row: DeletionRequest, state: DeletionRequest.State, *, reason: str, at: datetime, actor: str
) -> None:
    """Note what staff did; repeated it raises packages.states.IllegalMove."""
    with transaction.atomic():
        held = DeletionRequest.objects.select_for_update().get(pk=row.pk)
        held.move(state, at=at, actor=actor, reason=reason)


def _expire(export_id: int, *, at: datetime) -> None:
    with transaction.atomic():
        held = _held(export_id)
        if held.state == State.READY:
            held.content = b""
            held.move(State.EXPIRED, at=at, actor=ACTOR, reason="not taken", also=("content",))


def _held(export_id: int) -> DataExport:
    return DataExport.objects.select_for_update().get(pk=export_id)
