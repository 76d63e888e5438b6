"""Events and their deliveries, written in the transaction of what they tell about."""

import json
import random
import secrets
from dataclasses import dataclass
from typing import Any, Literal

from .store import Store

Order = Literal["as_is", "reversed", "shuffled"]


@dataclass(frozen=True)
class Shaping:
    """How the following events are delivered; the default is once, at once, in order."""

    duplicates: int = 0
    delay_seconds: float = 0.0
    shuffle_seconds: float = 0.0
    drop: bool = False
    hold: bool = False

    @property
    def state(self) -> str:
        return "dropped" if self.drop else "held" if self.hold else "waiting"


def add(store: Store, kind: str, payment: dict[str, Any], *, at: float, shaping: Shaping) -> None:
    """Write the event and as many deliveries as `shaping` asks for."""
    event_id = f"evt_{secrets.token_hex(12)}"
    body = {
        "id": event_id,
        "type": kind,
        "created": int(at),
        "livemode": payment["livemode"],
        "account": payment["account"],
        "data": {"payment": payment},
    }
    store.insert(
        "event", id=event_id, type=kind, payment=payment["id"], at=at, body=json.dumps(body)
    )
    for _ in range(1 + shaping.duplicates):
        due_at = at + shaping.delay_seconds + random.uniform(0, shaping.shuffle_seconds)
        store.insert("delivery", event=event_id, state=shaping.state, due_at=due_at)


def send_again(store: Store, event_id: str, *, times: int, at: float) -> None:
    """Deliver an event `times` more, whatever became of its earlier deliveries."""
    for _ in range(times):
        store.insert("delivery", event=event_id, state="waiting", due_at=at)


def release(store: Store, order: Order, *, at: float) -> None:
    """Let the held deliveries go, in `order`, far enough apart to arrive in it."""
    held = [row["id"] for row in store.rows("SELECT id FROM delivery WHERE state = 'held'")]
    if order == "reversed":
        held.reverse()
    if order == "shuffled":
        random.shuffle(held)
    for place, delivery_id in enumerate(held):
        again = "UPDATE delivery SET state = 'waiting', due_at = ? WHERE id = ?"
        store.run(again, at + place * 0.02, delivery_id)
