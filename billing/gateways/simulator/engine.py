"""What every stand-in does without HTTP: its memory, its rules, faults, and what it delivers."""

import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Generic, Protocol, TypeVar

from .deliveries import Deliveries, Receiver, Sign
from .events import Shaping
from .faults import Faults
from .store import Store


class Rules(Protocol):
    """What happens to money, bound to one transaction and one moment."""

    at: float

    @property
    def store(self) -> Store: ...
    def settle(self) -> None: ...


R = TypeVar("R", bound=Rules)


class Engine(ABC, Generic[R]):
    """What the server's threads share."""

    # Selects, as `at`, the instants at which there is something to settle.
    due: str

    def __init__(self, store: Store, receiver: Receiver, *, public_url: str, sign: Sign) -> None:
        self.public_url = public_url.rstrip("/")
        self.store = store
        self.faults = Faults()
        self.shaping = Shaping()
        self.stopping = threading.Event()
        self.deliveries = Deliveries(store, receiver, self._settle, sign=sign, also_due=self.due)

    @abstractmethod
    def bound(self, store: Store, at: float) -> R:
        """The rules in this transaction, at this moment."""

    @contextmanager
    def rules(self, at: float | None = None) -> Iterator[R]:
        """The rules inside one transaction; what they caused is delivered right after it."""
        with self.store.transaction() as store:
            yield self.bound(store, time.time() if at is None else at)
        self.deliveries.wake()

    def stop(self) -> None:
        """End hanging answers and the delivery thread, then close the file."""
        self.stopping.set()
        self.deliveries.stop()
        self.store.close()

    def _settle(self, at: float) -> None:
        if self.store.row(f"SELECT 1 AS due FROM ({self.due}) WHERE at <= ? LIMIT 1", at):
            with self.rules(at) as rules:
                rules.settle()
