"""The stand-in over HTTP: who may ask, its certificates, and its errors."""

from collections.abc import Callable

from ..frame import Frame
from ..web import JSON, Request, Response
from . import api, controls, pages
from .bank import Refused
from .machine import Machine
from .setup import Setup

BROKEN = b'{"name": "INTERNAL_SERVER_ERROR", "debug_id": "x"}'


class PayPalLikeServer(Frame[Machine]):
    """The stand-in and its socket."""

    api_paths = ("/v1/", "/v2/", "/v3/", "/AUTHORITY-")
    key_header = "paypal-request-id"

    def __init__(self, setup: Setup) -> None:
        modules = (api.routes, controls.routes, pages.routes)
        super().__init__(Machine(setup), setup.host, setup.port, *modules)
        self.machine.signer.base = self.machine.public_url

    def asked(self, request: Request) -> Response:
        served = self.machine.signer.served
        if request.path in served:
            return Response(200, served[request.path], "application/x-pem-file")
        if request.path.startswith("/v1/notifications/certs/"):
            return Response(404)
        if request.path != "/v1/oauth2/token" and not api.authorised(self.machine, request):
            return api.refusal(Refused(401, "INVALID_TOKEN"))
        return self.route(request)

    def handled(
        self, handler: Callable[..., Response], request: Request, ids: tuple[str, ...]
    ) -> Response:
        return api.answer(handler, request, ids)

    def missing(self, request: Request) -> Response:
        return api.refusal(Refused(404, "INVALID_RESOURCE_ID"))

    def broken(self) -> Response:
        return Response(500, BROKEN, JSON)
