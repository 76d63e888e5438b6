"""The stand-in over HTTP: which handler answers, who may ask, and faults on the way."""

import time
from threading import Thread

from ..faults import Fault
from ..server import STYLE
from ..web import HTML, JSON, Hangup, Request, Response, Server
from . import api, controls, pages
from .bank import Refused
from .machine import Machine
from .setup import Setup

LOGGED = {
    "events": "SELECT id, body FROM event",
    "deliveries": "SELECT * FROM delivery",
    "attempts": "SELECT * FROM attempt",
    "calls": "SELECT * FROM call",
}


class PayPalLikeServer:
    """A machine and its socket. Bound at once, answering after `start`."""

    def __init__(self, setup: Setup) -> None:
        self.machine = Machine(setup)
        self._http = Server(setup.host, setup.port, self._answer)
        self.url = f"http://{setup.host}:{self._http.server_port}"
        self.machine.public_url = self.machine.public_url or self.url
        self.machine.signer.base = self.machine.public_url
        self._routes = [
            found for module in (api, controls, pages) for found in module.routes(self.machine)
        ]
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

    def log(self) -> dict[str, list[dict[str, object]]]:
        """What really happened beside the objects."""
        with self.machine.store.transaction() as store:
            return {name: store.rows(sql) for name, sql in LOGGED.items()}

    def _answer(self, request: Request) -> Response:
        if request.path == "/style.css":
            return Response(200, STYLE.read_bytes(), "text/css; charset=utf-8")
        if not request.path.startswith(("/v1/", "/v2/")):
            return self._own_page(request)
        fault = self.machine.faults.take(request.method, request.path)
        if fault is None:
            response = self._api(request)
            self._log(request, str(response.status))
            return response
        applied = str(self._api(request).status) if fault.apply else "not applied"
        self._log(request, f"{applied}, {fault.answer}")
        return self._misbehave(fault)

    def _own_page(self, request: Request) -> Response:
        own = {None, *(f"{scheme}://{request.headers.get('host')}" for scheme in ("http", "https"))}
        if request.method == "POST" and request.headers.get("origin") not in own:
            return Response(403, b"another site's form")
        return self._route(request)

    def _api(self, request: Request) -> Response:
        signer = self.machine.signer
        if request.path == signer.path:
            return Response(200, signer.chain(), "application/x-pem-file")
        if request.path.startswith("/v1/notifications/certs/"):
            return Response(404)
        if request.path != "/v1/oauth2/token" and not api.authorised(self.machine, request):
            return api.refusal(Refused(401, "INVALID_TOKEN"))
        return self._route(request)

    def _route(self, request: Request) -> Response:
        for method, pattern, handler in self._routes:
            match = pattern.fullmatch(request.path)
            if match and method == request.method:
                return api.answer(handler, request, match.groups())
        return api.refusal(Refused(404, "INVALID_RESOURCE_ID"))

    def _misbehave(self, fault: Fault) -> Response:
        if fault.hang_seconds:
            self.machine.stopping.wait(fault.hang_seconds)
            raise Hangup(reset=False)
        if fault.answer == "reset":
            raise Hangup(reset=True)
        if fault.answer == "html":
            return Response(200, b"<html>502 Bad Gateway</html>", HTML)
        return Response(500, b'{"name": "INTERNAL_SERVER_ERROR", "debug_id": "x"}', JSON)

    def _log(self, request: Request, status: str) -> None:
        key = request.headers.get("paypal-request-id")
        called = {"method": request.method, "path": request.path, "key": key}
        with self.machine.store.transaction() as store:
            store.insert("call", at=time.time(), status=status, **called)
