"""One stand-in without its HTTP: memory, rules, faults, deliveries."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from ..deliveries import Deliveries
from ..events import Shaping
from ..faults import Faults
from ..store import Store
from .bank import Bank
from .books import SCHEMA, Books
from .setup import Setup
from .signing import Signer

DUE = "SELECT at FROM due"


class Machine:
    """What the server's threads share."""

    def __init__(self, setup: Setup) -> None:
        self.setup = setup
        self.public_url = setup.public_url.rstrip("/")
        self.store = Store(setup.data, schema=SCHEMA)
        self.books = Books(self.store)
        self.faults = Faults()
        self.shaping = Shaping()
        self.vaults_late = False
        self.refunds_wait = False
        self.most_listed = 10_000
        self.signer = Signer()
        self.signer.write_root(setup.roots)
        self.stopping = threading.Event()
        self.deliveries = Deliveries(
            self.store, setup, self._settle, sign=self._signed, also_due=DUE
        )

    @contextmanager
    def bank(self) -> Iterator[Bank]:
        """The rules inside one transaction; what they caused is delivered right after it."""
        with self.store.transaction() as store:
            yield Bank(
                Books(store),
                at=time.time(),
                public_url=self.public_url,
                account=self.setup.account,
                settle_seconds=self.setup.settle_seconds,
                shaping=self.shaping,
                vaults_late=self.vaults_late,
                refunds_wait=self.refunds_wait,
            )
        self.deliveries.wake()

    def stop(self) -> None:
        """End hanging answers and the delivery thread, then close the file."""
        self.stopping.set()
        self.deliveries.stop()
        self.store.close()

    def _signed(self, body: bytes, webhook_id: str, at: float) -> dict[str, str]:
        return self.signer.signed(body, webhook_id, at)

    def _settle(self, at: float) -> None:
        if self.store.row("SELECT 1 AS due FROM due WHERE at <= ? LIMIT 1", at):
            with self.bank() as bank:
                bank.settle()
