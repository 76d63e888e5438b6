"""What every stand-in does over HTTP: which handler answers, and faults on the way."""

import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path
from threading import Thread
from typing import Any, Generic, TypeVar

from .engine import Engine
from .faults import Fault
from .store import Row
from .web import HTML, Hangup, Request, Response, Route, Server

STYLE = Path(__file__).with_name("style.css")
WRONG_HTML = b"<html><body><h1>502 Bad Gateway</h1></body></html>"
LOGGED = {"events": "event", "deliveries": "delivery", "attempts": "attempt", "calls": "call"}


M = TypeVar("M", bound=Engine[Any])


class Frame(ABC, Generic[M]):
    """A machine and its socket. Bound at once, answering after `start`."""

    api_paths: tuple[str, ...] = ("/v1/",)
    key_header = "idempotency-key"

    def __init__(
        self, machine: M, host: str, port: int, *modules: Callable[[M], list[Route]]
    ) -> None:
        self.machine = machine
        self._http = Server(host, port, self._answer)
        self.url = f"http://{host}:{self._http.server_port}"
        machine.public_url = machine.public_url or self.url
        self._routes = [found for routes in modules for found in routes(machine)]
        self._thread = Thread(target=self._http.serve_forever, args=(0.05,), daemon=True)

    def start(self) -> None:
        """Answer and deliver from now on, in threads of our own."""
        self.machine.deliveries.start()
        self._thread.start()

    def stop(self) -> None:
        """Return when the socket is free and nothing is being sent."""
        self._http.shutdown()
        self._thread.join()
        self._http.server_close()
        self.machine.stop()

    def log(self) -> dict[str, list[Row]]:
        """What really happened beside the objects: events, deliveries, attempts, calls."""
        with self.machine.store.transaction() as store:
            return {name: store.rows(f"SELECT * FROM {table}") for name, table in LOGGED.items()}

    def route(self, request: Request) -> Response:
        """What the first handler that fits answers."""
        for method, pattern, handler in self._routes:
            match = pattern.fullmatch(request.path)
            if match and method == request.method:
                return self.handled(handler, request, match.groups())
        return self.missing(request)

    @abstractmethod
    def asked(self, request: Request) -> Response:
        """What the API answers to a call, if its sender may ask."""

    @abstractmethod
    def handled(
        self, handler: Callable[..., Response], request: Request, ids: tuple[str, ...]
    ) -> Response:
        """What a handler answers, or the error that it raises."""

    @abstractmethod
    def missing(self, request: Request) -> Response:
        """The answer where nothing is."""

    @abstractmethod
    def broken(self) -> Response:
        """The gateway's own 500."""

    def keep(self, request: Request, response: Response) -> None:
        """Answer the same for this key from now on, where the gateway does so with a 500."""

    def _answer(self, request: Request) -> Response:
        if request.path == "/style.css":
            return Response(200, STYLE.read_bytes(), "text/css; charset=utf-8")
        if not request.path.startswith(self.api_paths):
            return self._own_page(request)
        fault = self.machine.faults.take(request.method, request.path)
        if fault is None:
            response = self.asked(request)
            self._log(request, str(response.status))
            return response
        applied = str(self.asked(request).status) if fault.apply else "not applied"
        self._log(request, f"{applied}, {fault.answer}")
        return self._misbehave(request, fault)

    def _own_page(self, request: Request) -> Response:
        own = {None, *(f"{scheme}://{request.headers.get('host')}" for scheme in ("http", "https"))}
        if request.method == "POST" and request.headers.get("origin") not in own:
            return Response(403, b"another site's form")
        return self.route(request)

    def _misbehave(self, request: Request, fault: Fault) -> Response:
        broken = self.broken()
        if fault.replay and self.key_header in request.headers:
            self.keep(request, broken)
        if fault.hang_seconds:
            self.machine.stopping.wait(fault.hang_seconds)
            raise Hangup(reset=False)
        if fault.answer == "reset":
            raise Hangup(reset=True)
        return Response(200, WRONG_HTML, HTML) if fault.answer == "html" else broken

    def _log(self, request: Request, status: str) -> None:
        key = request.headers.get(self.key_header)
        called = {"method": request.method, "path": request.path, "key": key}
        with self.machine.store.transaction() as store:
            store.insert("call", at=time.time(), status=status, **called)
