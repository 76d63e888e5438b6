"""One simulated gateway without its HTTP: memory, rules, faults, deliveries."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from .deliveries import Deliveries
from .events import Shaping
from .faults import Faults
from .options import Options
from .payments import Desk
from .signing import signed
from .store import Store

DUE = "SELECT due_at FROM payment WHERE due_at IS NOT NULL"


class Machine:
    """What the server's threads share."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.public_url = options.public_url.rstrip("/")
        self.store = Store(options.data)
        self.faults = Faults()
        self.shaping = Shaping()
        self.stopping = threading.Event()
        self.deliveries = Deliveries(self.store, options, self._settle, sign=signed, also_due=DUE)

    @contextmanager
    def desk(self, at: float | None = None) -> Iterator[Desk]:
        """The rules inside one transaction; what they caused is delivered right after it."""
        with self.store.transaction() as store:
            yield Desk(
                store,
                at=time.time() if at is None else at,
                account=self.options.account,
                settle_seconds=self.options.settle_seconds,
                shaping=self.shaping,
            )
        self.deliveries.wake()

    def stop(self) -> None:
        """End hanging answers and the delivery thread, then close the file."""
        self.stopping.set()
        self.deliveries.stop()
        self.store.close()

    def _settle(self, at: float) -> None:
        due = "SELECT 1 AS due FROM payment WHERE due_at <= ? LIMIT 1"
        if self.store.row(due, at):
            with self.desk(at) as desk:
                desk.settle_due()
