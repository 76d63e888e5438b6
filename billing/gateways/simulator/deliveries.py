"""The thread that delivers webhooks until they are accepted, and lets due payments settle."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

import requests

from .store import Row, Store

LONGEST_SECONDS = 60.0
SIDE_BY_SIDE = 8

DUE = """
    SELECT delivery.id, delivery.event, delivery.attempts, event.body
    FROM delivery JOIN event ON event.id = delivery.event
    WHERE delivery.state = 'waiting' AND delivery.due_at <= ? ORDER BY delivery.due_at, delivery.id
"""
NEXT = """
    SELECT min(due_at) AS at FROM (
        SELECT due_at FROM delivery WHERE state = 'waiting' UNION ALL {also})
"""
Sign = Callable[[bytes, str, float], dict[str, str]]


class Receiver(Protocol):
    """Where webhooks go, and how often it is tried."""

    @property
    def secret(self) -> str: ...
    @property
    def webhook_url(self) -> str: ...
    @property
    def retry_seconds(self) -> float: ...
    @property
    def webhook_timeout_seconds(self) -> float: ...


class Deliveries:
    """Started once. `wake` it after each transaction that may have left something to send."""

    def __init__(
        self,
        store: Store,
        receiver: Receiver,
        settle: Callable[[float], None],
        *,
        sign: Sign,
        also_due: str,
    ) -> None:
        """`also_due` selects the instants at which `settle` has something to do."""
        self._store = store
        self._sign = sign
        self._next = NEXT.format(also=also_due)
        self._receiver = receiver
        self._settle = settle
        self._something = threading.Event()
        self._stopping = False
        self._pool = ThreadPoolExecutor(SIDE_BY_SIDE, thread_name_prefix="webhook")
        self._thread = threading.Thread(target=self._work, name="deliveries", daemon=True)

    def start(self) -> None:
        """Begin; what a former process had in its hands is sent again."""
        self._store.run("UPDATE delivery SET state = 'waiting' WHERE state = 'sending'")
        self._thread.start()

    def wake(self) -> None:
        """Look for due work now."""
        self._something.set()

    def stop(self) -> None:
        """Return when nothing is being sent any more."""
        self._stopping = True
        self.wake()
        self._thread.join()
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _work(self) -> None:
        while not self._stopping:
            self._something.clear()
            at = time.time()
            self._settle(at)
            for delivery in self._claimed(at):
                self._pool.submit(self._deliver, delivery)
            self._something.wait(self._pause_seconds())

    def _claimed(self, at: float) -> list[Row]:
        with self._store.transaction() as store:
            due = store.rows(DUE, at)
            for delivery in due:
                store.run("UPDATE delivery SET state = 'sending' WHERE id = ?", delivery["id"])
        return due

    def _pause_seconds(self) -> float:
        due_at = self._store.rows(self._next)[0]["at"]
        return 1.0 if due_at is None else min(1.0, max(0.01, due_at - time.time()))

    def _deliver(self, delivery: Row) -> None:
        at = time.time()
        status = self._post(delivery["body"].encode(), at)
        accepted = status.startswith("2")
        pause_seconds = min(
            LONGEST_SECONDS, self._receiver.retry_seconds * 2 ** delivery["attempts"]
        )
        with self._store.transaction() as store:
            store.insert(
                "attempt", delivery=delivery["id"], event=delivery["event"], at=at, status=status
            )
            store.run(
                "UPDATE delivery SET state = ?, due_at = ?, attempts = attempts + 1 WHERE id = ?",
                "delivered" if accepted else "waiting",
                time.time() + pause_seconds,
                delivery["id"],
            )
        self.wake()

    def _post(self, body: bytes, at: float) -> str:
        """The status code, or the kind of error. Each try is signed anew, as Stripe does."""
        try:
            with requests.Session() as session:
                session.trust_env = False
                answer = session.post(
                    self._receiver.webhook_url,
                    data=body,
                    headers=self._sign(body, self._receiver.secret, at),
                    timeout=self._receiver.webhook_timeout_seconds,
                    allow_redirects=False,
                )
        except requests.RequestException as error:
            return type(error).__name__
        return str(answer.status_code)
