"""One simulated gateway without its HTTP."""

from .engine import Engine
from .payments import Desk
from .setup import KeyedSetup
from .signing import signed
from .store import Store


class Machine(Engine[Desk]):
    """Its setup and its rules."""

    due = "SELECT due_at AS at FROM payment WHERE due_at IS NOT NULL"

    def __init__(self, setup: KeyedSetup) -> None:
        self.setup = setup
        super().__init__(Store(setup.data), setup, public_url=setup.public_url, sign=signed)

    def bound(self, store: Store, at: float) -> Desk:
        return Desk(
            store,
            at=at,
            account=self.setup.account,
            settle_seconds=self.setup.settle_seconds,
            shaping=self.shaping,
        )
