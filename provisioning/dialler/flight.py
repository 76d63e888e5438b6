"""One request on its way: whether a byte has left, and a hard end to its time.

Time-outs of sockets restart with every byte, so a server that drips its answer, its headers or its
TLS handshake could hold a worker for ever. A flight ends all of that at one moment, and never lets
a request leave after it: another worker may rely on that moment to begin to look.
"""

from __future__ import annotations

import socket
import threading
import time
from contextlib import suppress
from typing import Any, Self

from requests.adapters import HTTPAdapter
from urllib3 import HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError

from provisioning.dialler.reach import Reach


class Flight:
    """A context of at most `seconds`; `sent` is true once the first byte may have left."""

    def __init__(self, seconds: float) -> None:
        self.sent = False
        self._ends_at = time.monotonic() + seconds
        self._sockets: list[socket.socket] = []
        self._timer = threading.Timer(seconds, self._cut)
        self._timer.daemon = True

    def __enter__(self) -> Self:
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()
        for each in self._sockets:
            each.close()

    @property
    def over(self) -> bool:
        return time.monotonic() >= self._ends_at

    def watch(self, sock: socket.socket) -> None:
        # A duplicate, because TLS takes the original's descriptor away.
        self._sockets.append(sock.dup())

    def depart(self) -> None:
        """Note that bytes leave now; raise TimeoutError instead if the time is over."""
        if self.over:
            raise TimeoutError
        self.sent = True

    def _cut(self) -> None:
        for each in self._sockets:
            try:
                each.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue  # the other side was quicker


class _WatchedHTTP(HTTPConnection):
    def __init__(self, *args: Any, flight: Flight, reach: Reach, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.flight = flight
        self.reach = reach

    def _new_conn(self) -> socket.socket:
        name = self._dns_host
        *others, last = self.reach.resolve(name, self.port)
        try:
            for address in others:
                with suppress(NewConnectionError, ConnectTimeoutError):
                    return self._connected(address)
            return self._connected(last)
        finally:
            # The certificate is checked against the name, not against the address.
            self._dns_host = name

    def _connected(self, address: str) -> socket.socket:
        self._dns_host = address
        sock = super()._new_conn()
        self.flight.watch(sock)
        return sock

    def send(self, data: Any) -> None:
        if self.sock is None:
            self.connect()
        self.flight.depart()
        super().send(data)


class _WatchedHTTPS(_WatchedHTTP, HTTPSConnection):
    """The same over TLS: `send` comes after the handshake."""


class FlightAdapter(HTTPAdapter):
    """An adapter for exactly one request: no retries, every connection watched by its flight, and
    none beyond our reach.
    """

    def __init__(self, flight: Flight, reach: Reach) -> None:
        super().__init__(max_retries=0)
        self._flight = flight
        self._reach = reach

    def get_connection_with_tls_context(self, *args: Any, **kwargs: Any) -> Any:
        pool: Any = super().get_connection_with_tls_context(*args, **kwargs)
        secure = isinstance(pool, HTTPSConnectionPool)
        pool.ConnectionCls = _WatchedHTTPS if secure else _WatchedHTTP
        pool.conn_kw |= {"flight": self._flight, "reach": self._reach}
        return pool
