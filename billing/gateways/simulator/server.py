"""The simulated gateway over HTTP: which handler answers, who may ask, and faults on the way."""

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Thread

from . import api, checkout, controls, overview
from .faults import Fault
from .machine import Machine
from .options import Options
from .payments import Refused
from .web import HTML, Hangup, Request, Response, Server, json_response

STYLE = Path(__file__).with_name("style.css")
WRONG_HTML = b"<html><body><h1>502 Bad Gateway</h1></body></html>"


class GatewayServer:
    """A machine and its socket. Bound at once, answering after `start`."""

    def __init__(self, options: Options) -> None:
        self.machine = Machine(options)
        self._http = Server(options.host, options.port, self._answer)
        self.url = f"http://{options.host}:{self._http.server_port}"
        self.machine.public_url = self.machine.public_url or self.url
        self._routes = [
            found
            for module in (api, checkout, controls, overview)
            for found in module.routes(self.machine)
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

    def _answer(self, request: Request) -> Response:
        if request.path == "/style.css":
            return Response(200, STYLE.read_bytes(), "text/css; charset=utf-8")
        if not request.path.startswith("/v1/"):
            return self._own_page(request)
        fault = self.machine.faults.take(request.method, request.path)
        if fault is None:
            response = self._api(request)
            self._log(request, str(response.status))
            return response
        applied = str(self._api(request).status) if fault.apply else "not applied"
        self._log(request, f"{applied}, {fault.answer}")
        return self._misbehave(request, fault)

    def _own_page(self, request: Request) -> Response:
        own = {
            None,
            f"http://{request.headers.get('host')}",
            f"https://{request.headers.get('host')}",
        }
        if request.method == "POST" and request.headers.get("origin") not in own:
            return Response(403, b"another site's form")
        return self._route(request)

    def _api(self, request: Request) -> Response:
        if not api.authorised(request, self.machine.options.key):
            return api.error(401, "wrong_key")
        return self._route(request)

    def _route(self, request: Request) -> Response:
        for method, pattern, handler in self._routes:
            match = pattern.fullmatch(request.path)
            if match and method == request.method:
                return _handled(handler, request, match.groups())
        return api.error(404, "no_such_page")

    def _misbehave(self, request: Request, fault: Fault) -> Response:
        broken = api.error(500, "internal")
        if fault.replay and "idempotency-key" in request.headers:
            with self.machine.desk() as desk:
                api.remember(desk, request, broken)
        if fault.hang_seconds:
            self.machine.stopping.wait(fault.hang_seconds)
            raise Hangup(reset=False)
        if fault.answer == "reset":
            raise Hangup(reset=True)
        return Response(200, WRONG_HTML, HTML) if fault.answer == "html" else broken

    def _log(self, request: Request, status: str) -> None:
        key = request.headers.get("idempotency-key")
        called = {"method": request.method, "path": request.path, "key": key}
        with self.machine.store.transaction() as store:
            store.insert("call", at=time.time(), status=status, **called)


def _handled(handler: Callable[..., Response], request: Request, ids: Sequence[str]) -> Response:
    try:
        return handler(request, *ids)
    except Refused as refused:
        return api.error(refused.status, refused.code)
    except (ValueError, TypeError, AttributeError) as error:
        return json_response(400, {"error": {"code": "invalid", "detail": str(error)}})
