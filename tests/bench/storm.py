"""A storm of webhooks, with the broker away and the database restarted in the middle of it."""

from __future__ import annotations

import json
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import connection
from django.utils import timezone

from billing import gateways, invariants, payments, renewals
from billing.models import Allocation, GatewayEvent, Invoice, Payment
from config.env import VAR_DIR
from packages import rows
from packages.periods import business_day
from packages.states import record_changes
from tests import world
from tests.bench import bars
from tests.bench.bars import Bar
from tests.bench.durable import durable
from tests.bench.sending import deliver, event
from tests.bench.serving import gunicorn, product
from tests.billing import renewing, saved
from tests.processes import Worker, wait_until

KINDS = ("payment.processing", "payment.succeeded", "payment.succeeded", "payment.settled")
PAYMENTS, QUICK_PAYMENTS, CONNECTIONS, MOST_COPIES = 5_000, 250, 50, 5
NOWHERE, CARD = "http://127.0.0.1:9/", "pm_demo_4242"
# So long the sending may take, and then so long what is left to process.
PATIENCE_SECONDS = 1_500
# From the last delivery until the last event is processed, on two quiet cores.
MOST_SECONDS = 300
# Beat beside the worker, as in production: it rings for the sweeps.
WITH_BEAT = ("-Q", "default", "-B", "-s", str(VAR_DIR / "storm-beat"))


@dataclass
class Storm:
    """Sends every event one to five times in any order, and keeps what was answered 2xx."""

    port: int
    events: Sequence[bytes]
    seed: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    accepted: set[str] = field(default_factory=set)
    lost: set[str] = field(default_factory=set)
    copies: int = 0
    limit: int = 0
    until: float = 0
    seconds: float = 0

    def rage(self, *, connections: int, troubles: Sequence[Callable[[], object]]) -> None:
        """Send everything until it is accepted; the troubles come at equal steps of the way."""
        dice = random.Random(self.seed)
        copies = [each for each in self.events for _ in range(dice.randint(1, MOST_COPIES))]
        dice.shuffle(copies)
        self.copies, begun = len(copies), time.monotonic()
        self.until = begun + PATIENCE_SECONDS
        # Servers that this thread starts live as long as it, so the sending has one of its own.
        connection.close()
        with ThreadPoolExecutor(1) as pool:
            self.limit = step = len(copies) // (len(troubles) + 1)
            sending = pool.submit(deliver, self.port, copies, connections=connections, sender=self)
            try:
                for number, trouble in enumerate(troubles, 1):
                    self._wait_for(step * number, sending)
                    # There is always something on its way when a trouble comes.
                    self.limit = self.statuses[200] + step
                    trouble()
            finally:
                self.limit = len(copies)
            sending.result()
        self.seconds = time.monotonic() - begun
        self.look()

    def look(self) -> None:
        """Note what was answered 2xx and is not in the database."""
        accepted = list(self.accepted)
        stored = set(GatewayEvent.objects.values_list("external_id", flat=True))
        self.lost |= {each for each in accepted if each not in stored}

    def waits(self) -> bool:
        """Say whether a trouble comes first; ends the sending when it takes too long."""
        assert time.monotonic() < self.until, f"The sending takes too long: {self.statuses}"
        return self.statuses[200] >= self.limit

    def answered(self, body: bytes, status: int) -> None:
        self.statuses[status] += 1
        if 200 <= status < 300:
            self.accepted.add(json.loads(body)["id"])

    def _wait_for(self, good: int, sending: Future[None]) -> None:
        """Wait for so many 2xx; an error of the sending is ours."""

        def reached() -> bool:
            return self.statuses[200] >= good or (sending.done() and sending.result() is None)

        wait_until(reached, seconds=PATIENCE_SECONDS, what=f"{good} answers: {self.statuses}")


def report(quick: bool) -> Iterator[str]:
    count = QUICK_PAYMENTS if quick else PAYMENTS
    with (
        durable() as servers,
        saved.open_gateway() as gateway,
        gunicorn("config.wsgi", env=product()) as port,
    ):
        gateway.webhooks(drop=True)
        events = pay(count, at=timezone.now())
        storm, worker = Storm(port, events), Worker(*WITH_BEAT)
        try:

            def restart() -> None:
                servers.restart_database()
                storm.look()

            storm.rage(
                connections=CONNECTIONS,
                troubles=[servers.broker.stop, restart, servers.broker.start],
            )
            begun = time.monotonic()
            wait_until(lambda: not waiting(), seconds=PATIENCE_SECONDS, what="all is processed")
        finally:
            worker.stop()
        yield from _lines(storm)
        charged = len(gateway.simulator.log()["charges"])
        yield from bars.table(
            [
                *checks(storm, count),
                bars.exactly("charged at the gateway", charged, count),
                bars.at_most(
                    "until all was processed", time.monotonic() - begun, MOST_SECONDS, " s"
                ),
            ]
        )


def _lines(storm: Storm) -> Iterator[str]:
    answers = ", ".join(f"{n:,} × {status or 'none'}" for status, n in storm.statuses.items())
    yield "## Webhook storm"
    yield ""
    yield (
        f"- {len(storm.events):,} signed events, each sent 1 to {MOST_COPIES} times, shuffled:"
        f" {storm.copies:,} deliveries over {CONNECTIONS} connections in {storm.seconds:.0f} s,"
        " processed by a worker meanwhile"
    )
    yield "- the broker away from a quarter to three quarters of it, the database killed at half"
    yield f"- answers: {answers}; what was not 2xx was sent again"


def checks(storm: Storm, count: int) -> list[Bar]:
    """Say what must hold after all events were processed; `count` payments were paid."""
    processed = GatewayEvent.objects.filter(state=GatewayEvent.State.PROCESSED)
    succeeded = Payment.objects.filter(state=Payment.State.SUCCEEDED)
    broken = [each.invariant.code for each in invariants.violations()]
    return [
        bars.exactly("accepted and not on disk", len(storm.lost), 0),
        bars.exactly("stored events", GatewayEvent.objects.count(), len(storm.events)),
        bars.exactly("processed events", processed.count(), len(storm.events)),
        bars.exactly("payments that succeeded", succeeded.count(), count),
        bars.exactly(
            "paid invoices", Invoice.objects.filter(state=Invoice.State.PAID).count(), count
        ),
        bars.exactly("allocations", Allocation.objects.count(), count),
        bars.exactly("violated invariants", broken, []),
    ]


def waiting() -> bool:
    return GatewayEvent.objects.filter(state=GatewayEvent.State.RECEIVED).exists()


def pay(count: int, *, at: datetime) -> list[bytes]:
    """Open a shop with so many open invoices, each paid at the gateway; return their events.

    The shop knows of each payment only that it began: the rest is for the webhooks to say.
    """
    world.settle_in("http://127.0.0.1:9", at=at)
    on = business_day(at, world.brand().zone)
    renewing.many(count, paid_until=on + timedelta(days=7), at=at)
    renewals.bill(on, at=at)
    invoices = Invoice.objects.filter(state=Invoice.State.OPEN).select_related("customer")
    made = rows.insert(_begun(each, at=at) for each in invoices)
    record_changes(made, before="", at=at, actor="test", reason="begun")
    asked = gateways.get("simulated")
    for each in made:
        request = payments.request_of(each, return_url=NOWHERE, customer_id="")
        each.external_id = asked.charge_saved(request, CARD).external_id
    Payment.objects.bulk_update(made, ["external_id"], batch_size=1_000)
    return [
        event(f"evt_{each.external_id}_{number}", str(each.external_id), kind)
        for each in made
        for number, kind in enumerate(KINDS)
    ]


def _begun(invoice: Invoice, *, at: datetime) -> Payment:
    return Payment(
        customer=invoice.customer,
        invoice=invoice,
        gateway="simulated",
        amount_minor=invoice.due.minor,
        currency=invoice.currency,
        created_at=at,
    )
