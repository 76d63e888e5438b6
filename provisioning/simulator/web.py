"""HTTP for the simulator: reading a request whatever its shape, writing an answer however it
misbehaves.
"""

from __future__ import annotations

import json
import os
import socket
import struct
import threading
from contextlib import suppress
from dataclasses import dataclass, field, replace
from email import message_from_bytes
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from typing import Protocol
from urllib.parse import parse_qsl, urlsplit

BODY_BYTES = 10 * 1024 * 1024
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; form-action 'self'",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
}


@dataclass(frozen=True, slots=True)
class Page:
    """Anything to send. `manner` is "", "hang", "drip", "reset" or "reset_half"."""

    status: int
    body: bytes
    content_type: str = "text/html; charset=utf-8"
    headers: tuple[tuple[str, str], ...] = ()
    manner: str = ""
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Arrival:
    """A request as it came; `fields` holds those of the query and of the form."""

    verb: str
    path: str
    fields: dict[str, str]
    body: bytes
    authorization: str
    cookies: str
    accept: str
    loopback: bool

    def json(self) -> object:
        """Return the body as JSON; raise ValueError."""
        return json.loads(self.body or b"null")


class Site(Protocol):
    def __call__(self, arrival: Arrival) -> Page: ...


def json_page(value: object, status: int = 200) -> Page:
    return Page(status, json.dumps(value, indent=1).encode(), "application/json")


def redirect(location: str, *headers: tuple[str, str]) -> Page:
    return Page(303, b"", headers=(("Location", location), *headers))


@dataclass(slots=True)
class Listener:
    """A threaded HTTP server on one port, in this process; `close` and `listen` may alternate."""

    host: str
    port: int
    site: Site
    _closing: threading.Event = field(default_factory=threading.Event)
    _server: _Server | None = None

    def listen(self) -> None:
        """Bind (port 0 picks a free one, kept from then on) and serve in the background."""
        self._closing = threading.Event()
        handler = type("Handler", (_Handler,), {"site": self.site, "closing": self._closing})
        self._server = _Server((self.host, self.port), handler)
        self.port = self._server.server_address[1]
        self._server.accepting.start()

    def close(self) -> None:
        """Refuse connections from now on; answers that hang are given up."""
        if self._server is not None:
            self._closing.set()
            self._server.refuse_all()
            self._server = None


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler]) -> None:
        super().__init__(address, handler)
        self._refuses = threading.Event()
        self.accepting = threading.Thread(target=self._accept_all, daemon=True)

    def server_bind(self) -> None:
        # Not HTTPServer's: it looks the host's name up, which can take seconds without DNS.
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = str(self.server_address[0]), self.server_address[1]

    def _accept_all(self) -> None:
        """Serve until `refuse_all`; unlike `serve_forever` without polling, so the end is quick."""
        while not self._refuses.is_set():
            try:
                request, address = self.get_request()
            except OSError:
                continue
            self.process_request(request, address)

    def refuse_all(self) -> None:
        self._refuses.set()
        with suppress(OSError):  # wakes `accept` on Linux; elsewhere closing does
            self.socket.shutdown(socket.SHUT_RDWR)
        # Closed earlier, its number may be another listener's by the time it accepts once more.
        self.accepting.join(timeout=1)
        self.server_close()

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that went away is everyday life here."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "Simulator"
    sys_version = ""
    timeout = 60
    disable_nagle_algorithm = True
    site: Site
    closing: threading.Event

    def do_GET(self) -> None:
        self._answer()

    do_POST = do_DELETE = do_GET

    def log_message(self, format: str, *args: object) -> None:
        """Silent: the truth log tells more."""

    def _answer(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        if not 0 <= length <= BODY_BYTES:
            self.close_connection = True
            return self._send(Page(413, b"Too large."))
        page = type(self).site(self._arrival(self.rfile.read(length)))
        if page.manner == "hang":
            self.closing.wait(page.seconds)
        if self.closing.is_set():
            page = replace(page, manner="reset")
        return self._send(page)

    def _arrival(self, body: bytes) -> Arrival:
        parts = urlsplit(self.path)
        fields = dict(parse_qsl(parts.query, keep_blank_values=True))
        fields |= _fields(self.headers.get("Content-Type", ""), body)
        return Arrival(
            verb=self.command,
            path=parts.path,
            fields=fields,
            body=body,
            authorization=self.headers.get("Authorization", ""),
            cookies=self.headers.get("Cookie", ""),
            accept=self.headers.get("Accept", ""),
            loopback=ip_address(self.client_address[0]).is_loopback,
        )

    def _send(self, page: Page) -> None:
        self.send_response(page.status)
        for name, value in (*HEADERS.items(), *page.headers):
            self.send_header(name, value)
        self.send_header("Content-Type", page.content_type)
        self.send_header("Content-Length", str(len(page.body)))
        if page.manner.startswith("reset"):
            return self._break_off(page)
        self.end_headers()
        if page.manner != "drip":
            self.wfile.write(page.body)
            return None
        for byte in page.body:
            self.wfile.write(bytes([byte]))
            if self.closing.wait(page.seconds):
                break
        return None

    def _break_off(self, page: Page) -> None:
        """End the connection with RST, before the first byte or in the middle of the body."""
        if page.manner == "reset_half":
            self.end_headers()
            self.wfile.write(page.body[: len(page.body) // 2])
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        os.close(self.connection.detach())


def _fields(content_type: str, body: bytes) -> dict[str, str]:
    """Return the form's fields; urlencoded, multipart and JSON objects are all understood."""
    kind = content_type.partition(";")[0].strip().lower()
    if kind == "application/x-www-form-urlencoded":
        return dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))
    if kind == "multipart/form-data":
        return _multipart(content_type, body)
    return {}


def _multipart(content_type: str, body: bytes) -> dict[str, str]:
    message = message_from_bytes(f"Content-Type: {content_type}\r\n\r\n".encode() + body)
    found = {}
    for part in message.walk():
        name = part.get_param("name", header="content-disposition")
        payload = part.get_payload(decode=True)
        if isinstance(name, str) and isinstance(payload, bytes):
            found[name] = payload.decode("utf-8", "replace")
    return found
