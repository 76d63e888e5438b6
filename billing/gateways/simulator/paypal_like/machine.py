"""One stand-in without its HTTP."""

from ..engine import Engine
from ..store import Store
from .bank import Bank
from .books import SCHEMA, Books
from .setup import Setup
from .signing import Signer


class Machine(Engine[Bank]):
    """Its setup, its certificates and its rules."""

    due = "SELECT at FROM due"

    def __init__(self, setup: Setup) -> None:
        self.setup = setup
        self.vaults_late = False
        self.refunds_wait = False
        self.most_listed = 10_000
        self.signer = Signer()
        self.signer.write_root(setup.roots)
        store = Store(setup.data, schema=SCHEMA)
        self.books = Books(store)
        sign = self.signer.signed
        super().__init__(store, setup, public_url=setup.public_url, sign=sign)

    def bound(self, store: Store, at: float) -> Bank:
        return Bank(
            Books(store),
            at=at,
            public_url=self.public_url,
            account=self.setup.account,
            settle_seconds=self.setup.settle_seconds,
            shaping=self.shaping,
            vaults_late=self.vaults_late,
            refunds_wait=self.refunds_wait,
        )
