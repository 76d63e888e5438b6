"""A load: so many connections, each sending one request after the other.

Written in Python, so what it takes of the processor itself makes two servers look more alike than
they are; it is a small part beside Django.
"""

from __future__ import annotations

import itertools
import socket
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from statistics import median
from threading import Lock

HOST = "127.0.0.1"
PATIENCE_SECONDS = 60
NO_ANSWER = 0


@dataclass(frozen=True, slots=True)
class Load:
    """What a server answered: how often what, and how long each took."""

    seconds: float
    answers: Counter[int]
    milliseconds: list[float]

    @property
    def rate(self) -> float:
        return len(self.milliseconds) / self.seconds

    def percentile(self, percent: int) -> float:
        return sorted(self.milliseconds)[len(self.milliseconds) * percent // 100]


def table(rows: dict[str, list[Load]]) -> Iterator[str]:
    """Show each server's rounds by their medians."""
    yield ""
    yield "| | requests/s | p50, ms | p99, ms |"
    yield "|---|---|---|---|"
    for name, loads in rows.items():
        rate = median(load.rate for load in loads)
        p50, p99 = (median(load.percentile(each) for load in loads) for each in (50, 99))
        yield f"| {name} | {rate:,.0f} | {p50:.1f} | {p99:.1f} |"


def request(path: str) -> bytes:
    """Return a GET as it goes over the wire."""
    return f"GET {path} HTTP/1.1\r\nHost: {HOST}\r\nConnection: close\r\n\r\n".encode()


def send(
    port: int,
    requests: Iterable[bytes],
    *,
    connections: int,
    seconds: float = float("inf"),
) -> Load:
    """Send them all, or as many as the time allows; what gets no answer counts as NO_ANSWER."""
    lock, source, begun = Lock(), iter(requests), time.perf_counter()

    def take() -> bytes | None:
        with lock:
            return next(source, None)

    def work() -> list[tuple[int, float]]:
        took = []
        for each in iter(take, None):
            at = time.perf_counter()
            status = _answer(port, each)
            took.append((status, 1000 * (time.perf_counter() - at)))
            if time.perf_counter() - begun > seconds:
                break
        return took

    with ThreadPoolExecutor(connections) as pool:
        parts = [each.result() for each in [pool.submit(work) for _ in range(connections)]]
    took = list(itertools.chain(*parts))
    lasted = time.perf_counter() - begun
    return Load(lasted, Counter(status for status, _ in took), [ms for _, ms in took])


def _answer(port: int, sent: bytes) -> int:
    """Return the status of the complete answer."""
    try:
        with socket.create_connection((HOST, port), PATIENCE_SECONDS) as line:
            line.sendall(sent)
            answer = b"".join(iter(lambda: line.recv(65536), b""))
    except OSError:
        return NO_ANSWER
    return int(answer[9:12]) if answer.startswith(b"HTTP/1.") else NO_ANSWER
