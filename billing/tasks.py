"""Doorbells and sweeps. A task carries a row's id, reads the clock, and makes one call."""

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import cache
from typing import Any, TypeVar

from celery import shared_task
from django.db.models import Q, QuerySet
from django.utils import timezone

from billing import (
    alerts,
    auto_top_ups,
    charges,
    data_requests,
    deliveries,
    differences,
    events,
    failed_refunds,
    gateways,
    inbound_mails,
    low_balances,
    matched_entries,
    methods,
    payment_checks,
    quotas,
    reconciliation,
    refunds,
    runs,
    setups,
    statement_files,
    top_up_refunds,
    vat_ids,
)
from billing.gateways.bank_transfer import BankTransfer
from billing.models import GatewayEvent, MethodSetup, Payment, PaymentMethod, brand_if_any
from packages import clock
from packages.periods import business_day
from packages.sweeping import any_among, each, within, written_once
from provisioning import tasks as provisioning

Row = TypeVar("Row", Payment, GatewayEvent, MethodSetup, PaymentMethod)
BATCH = 2_000
# For each gateway, and one more call that had begun by then. A gateway gives up after ten.
SWEEP_SECONDS = 20
SWEEPER = "system:sweep"


@shared_task
def process_event(event_id: int) -> None:
    """Process one stored gateway event."""
    events.process(event_id, at=clock.now())


@shared_task
def sweep_events() -> None:
    """Process the gateway events whose doorbell nobody heard, and those due for another attempt."""
    at = clock.now()
    _by_gateway(_events, lambda event: events.process(event.pk, at=at), at=at)


def _events(at: datetime) -> QuerySet[GatewayEvent]:
    due = Q(next_attempt_at__lte=at) | Q(next_attempt_at__isnull=True)
    waiting = GatewayEvent.objects.filter(due, state=GatewayEvent.State.RECEIVED)
    return waiting.defer("body").order_by("pk")


@shared_task
def sweep_payments() -> None:
    """Ask the gateways about open payments, so that a lost webhook costs minutes and no money."""
    at = clock.now()
    _by_gateway(_payments, lambda payment: _look_after(payment, at=at), at=at)


def _payments(at: datetime) -> QuerySet[Payment]:
    return Payment.objects.filter(next_check_at__lte=at).order_by("next_check_at", "pk")


@shared_task
def sweep_methods() -> None:
    """Ask about visits to keep a method, and have removed methods forgotten at their gateways."""
    at = clock.now()
    _by_gateway(_visits, lambda setup: setups.check_due(setup, at=at, actor=SWEEPER), at=at)
    _by_gateway(_removed, lambda method: methods.let_go(method, at=at), at=at)


def _visits(at: datetime) -> QuerySet[MethodSetup]:
    return MethodSetup.objects.filter(next_check_at__lte=at).order_by("next_check_at", "pk")


def _removed(_at: datetime) -> QuerySet[PaymentMethod]:
    return methods.to_let_go()


@shared_task
def compare_gateways() -> None:
    """Hold the gateways' payments of the last 72 hours against ours, and fetch missed events."""
    at = clock.now()
    each(_asked(), lambda code: differences.compare(code, at=at))


@shared_task
def reconcile_gateways() -> None:
    """Book the gateways' fees and payouts from their own statements."""
    at = clock.now()
    each(_asked(), lambda code: reconciliation.reconcile(code, at=at))


def _asked() -> list[str]:
    """The gateways that there is somebody to ask at."""
    return [each.code for each in gateways.configured() if each.code != BankTransfer.code]


def _by_gateway(
    rows: Callable[[datetime], QuerySet[Row]], do: Callable[[Row], object], *, at: datetime
) -> None:
    """Do it for what waits at each gateway; one that hangs holds up nothing but its own rows."""

    def look_after(code: str) -> None:
        each(within(rows(at).filter(gateway=code)[:BATCH], seconds=SWEEP_SECONDS), do)

    each(_gateways_of(rows)(at), look_after)


@cache
def _gateways_of(rows: Callable[[datetime], QuerySet[Any]]) -> Callable[[datetime], list[str]]:
    """Return the question at which gateways such rows wait."""

    @written_once
    def codes(at: datetime) -> QuerySet[Any, str]:
        return rows(at).order_by("gateway").values_list("gateway", flat=True).distinct()

    return codes


def _look_after(payment: Payment, *, at: datetime) -> None:
    """Send a charge that nobody rang for; ask about any other payment."""
    if payment.waits_to_be_sent:
        charges.send(payment.pk, at=at)
    else:
        payment_checks.check_due(payment, at=at, actor=SWEEPER)


@shared_task
def sweep_refunds() -> None:
    """Send the refunds that wait, and ask again, with the same key, where no answer came; ask about
    those that may have come back.
    """
    at = clock.now()
    waiting = within(refunds.waiting(at=at), seconds=SWEEP_SECONDS)
    each(waiting, lambda pk: refunds.send(pk, at=at))
    watched = within(failed_refunds.watched(at=at), seconds=SWEEP_SECONDS)
    each(watched, lambda pk: failed_refunds.look(pk, at=at))


@shared_task
def sweep_statements() -> None:
    """Read the bank statements that wait, and book what is clear in those that are read."""
    statement_files.sweep(now=clock.now)


def anything_waits() -> bool:
    """Say whether an event, statement, payment, refund, saved method, or anything of the diallers
    is to be looked after.
    """
    return _any_waits(clock.now())


@any_among
def _any_waits(at: datetime) -> Sequence[QuerySet[Any]]:
    money = [_payments(at), refunds.due(at), failed_refunds.due(at), _visits(at), _removed(at)]
    files = [statement_files.due(at), matched_entries.matched()]
    return [_events(at), *files, *money, *provisioning.to_look_after(at)]


@shared_task
def sweep_vat_ids() -> None:
    """Ask the register about VAT ids without an answer, or with an old one."""
    at = clock.now()
    vat_ids.renew(at=at)
    each(vat_ids.waiting(at=at), lambda pk: vat_ids.check(pk, at=at))


@shared_task
def sweep_mails() -> None:
    """Send the mails that wait in the outbox, and file those that came in."""
    at = clock.now()
    each(deliveries.waiting(at=at), lambda pk: deliveries.deliver(pk, at=at))
    each(inbound_mails.waiting(), lambda pk: inbound_mails.file(pk, at=at))


@shared_task
def sweep_data_exports() -> None:
    """Make the copies of data that wait, and let those expire that nobody took."""
    at = clock.now()
    each(data_requests.sweep(at=at), lambda pk: data_requests.make(pk, at=at))


@shared_task
def watch_balances() -> None:
    """Mail who runs low on credit, buy for whoever ordered so, credit what was taken back."""
    at = clock.now()
    low_balances.watch(at=at)
    auto_top_ups.run(at=at)
    top_up_refunds.sweep(at=at)


@shared_task
def weigh_readings() -> None:
    """Mail whose included units or credit run out, from the readings that are new."""
    quotas.weigh(at=clock.now())


@shared_task
def check_invariants() -> None:
    """Once an hour, check what must always be true; what is not becomes an alert."""
    alerts.check_invariants(at=clock.now(), now=timezone.now())


@shared_task
def bill_due() -> None:
    """Do today's work of the calendar, once a day; a stopped run waits for staff."""
    brand = brand_if_any()
    if brand is not None:
        runs.bill(business_day(clock.now(), brand.zone), now=clock.now)
