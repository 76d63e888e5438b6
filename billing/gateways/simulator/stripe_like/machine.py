"""One stand-in without its HTTP."""

from ..engine import Engine
from ..store import Store
from .bank import Bank
from .books import SCHEMA, Books
from .setup import Setup
from .signing import signed


class Machine(Engine[Bank]):
    """Its setup and its rules."""

    due = "SELECT at FROM due"

    def __init__(self, setup: Setup) -> None:
        self.setup = setup
        store = Store(setup.data, schema=SCHEMA)
        self.books = Books(store)
        super().__init__(store, setup, public_url=setup.public_url, sign=signed)

    def bound(self, store: Store, at: float) -> Bank:
        return Bank(
            Books(store),
            at=at,
            public_url=self.public_url,
            settle_seconds=self.setup.settle_seconds,
            shaping=self.shaping,
        )
