"""Just enough HTTP: a request, a response, and the server that turns one into the other."""

import json
import re
import socket
import socketserver
import struct
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

LARGEST_BODY = 64 * 1024
JSON = "application/json"
HTML = "text/html; charset=utf-8"


@dataclass(frozen=True)
class Request:
    """One call, read completely."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes
    raw_query: str = ""

    @property
    def is_form(self) -> bool:
        return self.headers.get("content-type", "").startswith("application/x-www-form-urlencoded")

    def data(self) -> Any:
        """The body as form fields or JSON; an empty body is an empty object. Raises ValueError."""
        if self.is_form:
            return _single(parse_qs(self.body.decode(), keep_blank_values=True))
        return json.loads(self.body or b"{}")


@dataclass(frozen=True)
class Response:
    """One answer."""

    status: int
    body: bytes = b""
    content_type: str = HTML
    headers: dict[str, str] = field(default_factory=dict)


Handle = Callable[[Request], Response]
Route = tuple[str, re.Pattern[str], Callable[..., Response]]


class Hangup(Exception):
    """End the connection without an answer; abruptly when `reset`."""

    def __init__(self, *, reset: bool) -> None:
        super().__init__("hang up")
        self.reset = reset


def json_response(status: int, content: Any) -> Response:
    """`content` as JSON."""
    return Response(status, json.dumps(content).encode(), JSON)


def see_other(url: str) -> Response:
    """Go on by GET."""
    return Response(303, headers={"Location": url})


def route(method: str, path: str, handler: Callable[..., Response]) -> Route:
    """A route; `ID` in `path` stands for one identifier, given to the handler."""
    return method, re.compile(path.replace("ID", r"([\w-]+)")), handler


class Server(ThreadingHTTPServer):
    """Serves `handle` on a thread per connection. Port 0 takes a free one."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, host: str, port: int, handle: Handle) -> None:
        self.handle_call = handle
        super().__init__((host, port), _Handler)

    def server_bind(self) -> None:
        # HTTPServer would ask the resolver for the host's full name, which can take seconds.
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), self.server_address[1]

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Tell of a failure of ours; a client that gave up is no news."""
        if not isinstance(sys.exc_info()[1], ConnectionError | TimeoutError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    server: Server
    timeout = 30
    server_version = "simulated-gateway"
    sys_version = ""

    def do_GET(self) -> None:
        self._serve()

    do_POST = do_DELETE = do_GET

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet: the truth log says more."""

    def _serve(self) -> None:
        length = self.headers.get("Content-Length", "0")
        if not length.isdigit() or int(length) > LARGEST_BODY:
            return self._send(Response(413))
        try:
            return self._send(self.server.handle_call(self._request(int(length))))
        except Hangup as hangup:
            return self._hang_up(hangup)

    def _request(self, length: int) -> Request:
        url = urlsplit(self.path)
        return Request(
            method=self.command,
            path=url.path,
            query=_single(parse_qs(url.query)),
            headers={name.lower(): value for name, value in self.headers.items()},
            body=self.rfile.read(length),
            raw_query=url.query,
        )

    def _send(self, response: Response) -> None:
        headers = {
            "Content-Type": response.content_type,
            "Content-Length": str(len(response.body)),
            "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "same-origin",
        }
        self.send_response(response.status)
        for name, value in (headers | response.headers).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(response.body)

    def _hang_up(self, hangup: Hangup) -> None:
        self.close_connection = True
        if hangup.reset:
            # Closing with a linger of zero sends RST instead of FIN.
            at_once = struct.pack("ii", 1, 0)
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, at_once)
            self.connection.close()


def _single(fields: dict[str, list[str]]) -> dict[str, str]:
    return {name: values[-1] for name, values in fields.items()}
