"""A server that answers with exactly the bytes it was given, as no honest server would."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable
from typing import Self

Script = Callable[[socket.socket], None]


class RawServer:
    """One listening socket; every connection's request is read whole and kept, then answered."""

    def __init__(self, answer: bytes | Script, context: ssl.SSLContext | None = None) -> None:
        self.requests: list[bytes] = []
        self._answer = answer
        self._context = context
        self._listening = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self._serve, daemon=True).start()

    @property
    def url(self) -> str:
        scheme = "https" if self._context else "http"
        return f"{scheme}://127.0.0.1:{self._listening.getsockname()[1]}/rest"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._listening.close()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            threading.Thread(target=self._respond, args=(connection,), daemon=True).start()

    def _respond(self, connection: socket.socket) -> None:
        try:
            if self._context:
                connection = self._context.wrap_socket(connection, server_side=True)
            self.requests.append(_read_request(connection))
            if callable(self._answer):
                self._answer(connection)
            else:
                connection.sendall(self._answer)
        except OSError:
            return
        finally:
            connection.close()


def http(body: bytes, status: str = "200 OK", *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


def dripping(data: bytes, seconds: float) -> Script:
    """Send a byte, wait, and so on, for as long as the other side listens."""

    def script(connection: socket.socket) -> None:
        pause = threading.Event()
        for byte in data:
            connection.sendall(bytes([byte]))
            pause.wait(seconds)

    return script


def _read_request(connection: socket.socket) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data:
        data += _more(connection)
    head, _, body = data.partition(b"\r\n\r\n")
    lengths = [
        int(line.split(b":")[1])
        for line in head.split(b"\r\n")
        if line.lower().startswith(b"content-length")
    ]
    while len(body) < sum(lengths):
        body += _more(connection)
    return head + b"\r\n\r\n" + body


def _more(connection: socket.socket) -> bytes:
    data = connection.recv(65536)
    if not data:
        raise ConnectionError
    return data
