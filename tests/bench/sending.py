"""A gateway's side of the wire: signed events over so many connections, nothing parsed twice."""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from statistics import quantiles
from typing import Protocol

from django.conf import settings

from billing.gateways.simulator import signed
from config.local.ports import HOST

PATIENCE_SECONDS = 20
PATH = "/webhooks/simulated/"


def event(name: str, payment: str, kind: str = "payment.succeeded") -> bytes:
    """Write an event as the simulated gateway would."""
    fields = {
        "id": name,
        "type": kind,
        "created": int(time.time()),
        "livemode": False,
        "account": settings.SIMULATED_GATEWAY["account"],
        "data": {"payment": {"id": payment}},
    }
    return json.dumps(fields).encode()


def request(body: bytes, *, secret: str = "") -> bytes:
    """Return the whole request, signed now with the shop's secret or another one."""
    headers = signed(body, secret or settings.SIMULATED_GATEWAY["secrets"][0], time.time())
    lines = [f"POST {PATH} HTTP/1.1", f"Host: {HOST}", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


@dataclass
class Load:
    """What a run of requests came to."""

    seconds: float
    latencies: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)

    @property
    def rate(self) -> float:
        return len(self.latencies) / self.seconds

    def percentile(self, percent: int) -> float:
        """Return the latency in milliseconds below which so many percent were answered."""
        return 1000 * quantiles(self.latencies, n=100)[percent - 1]


def press(port: int, requests: Iterable[bytes], *, connections: int, seconds: float) -> Load:
    """Send the requests one after the other on each connection, for so long at most."""
    return asyncio.run(_press(port, iter(requests), connections, seconds))


async def _press(port: int, requests: Iterator[bytes], connections: int, seconds: float) -> Load:
    load, begun = Load(seconds), time.perf_counter()

    async def connection() -> None:
        wire = Wire(port)
        for each in requests:
            sent = time.perf_counter()
            if sent > begun + seconds:
                break
            load.statuses[await wire.send(each)] += 1
            load.latencies.append(time.perf_counter() - sent)
        wire.close()

    await asyncio.gather(*(connection() for _ in range(connections)))
    load.seconds = time.perf_counter() - begun
    return load


class Sender(Protocol):
    """Whoever has bodies to send."""

    def waits(self) -> bool: ...

    def answered(self, body: bytes, status: int) -> None: ...


def deliver(port: int, bodies: list[bytes], *, connections: int, sender: Sender) -> None:
    """Send every body until it gets a 2xx, as gateways do; 0 stands for a lost connection."""
    asyncio.run(_deliver(port, bodies[::-1], connections, sender))


async def _deliver(port: int, left: list[bytes], connections: int, sender: Sender) -> None:
    async def connection() -> None:
        wire = Wire(port)
        while left:
            if sender.waits():
                await asyncio.sleep(0.01)
                continue
            body = left.pop()
            status = await wire.send(request(body))
            sender.answered(body, status)
            if not 200 <= status < 300:
                left.insert(0, body)
                await asyncio.sleep(0.2)
        wire.close()

    await asyncio.gather(*(connection() for _ in range(connections)))


class Wire:
    """One connection, opened again whenever the other side has ended it."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def send(self, content: bytes) -> int:
        """Send a request and return its status; 0 if no answer came."""
        fresh = self._streams is None
        try:
            status = await asyncio.wait_for(self._send(content), PATIENCE_SECONDS)
        except (OSError, EOFError, TimeoutError):
            self.close()
            # A connection that was kept may have ended meanwhile: not an answer either way.
            return 0 if fresh else await self.send(content)
        return status

    async def _send(self, content: bytes) -> int:
        if self._streams is None:
            self._streams = await asyncio.open_connection(HOST, self._port)
        reader, writer = self._streams
        writer.write(content)
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        length = head.partition(b"content-length:")[2].partition(b"\r\n")[0]
        await reader.readexactly(int(length))
        if b"connection: close" in head:
            self.close()
        return int(head[9:12])

    def close(self) -> None:
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None
