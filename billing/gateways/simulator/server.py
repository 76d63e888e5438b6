"""The simulated gateway over HTTP: who may ask, and its errors."""

from collections.abc import Callable

from . import api, checkout, controls, overview
from .frame import Frame
from .machine import Machine
from .options import Options
from .payments import Refused
from .web import Request, Response, json_response


class GatewayServer(Frame[Machine]):
    """The simulated gateway and its socket."""

    def __init__(self, options: Options) -> None:
        modules = (api.routes, checkout.routes, controls.routes, overview.routes)
        super().__init__(Machine(options), options.host, options.port, *modules)

    def asked(self, request: Request) -> Response:
        if not api.authorised(request, self.machine.options.key):
            return api.error(401, "wrong_key")
        return self.route(request)

    def handled(
        self, handler: Callable[..., Response], request: Request, ids: tuple[str, ...]
    ) -> Response:
        try:
            return handler(request, *ids)
        except Refused as refused:
            return api.error(refused.status, refused.code)
        except (ValueError, TypeError, AttributeError) as error:
            return json_response(400, {"error": {"code": "invalid", "detail": str(error)}})

    def missing(self, request: Request) -> Response:
        return api.error(404, "no_such_page")

    def broken(self) -> Response:
        return api.error(500, "internal")

    def keep(self, request: Request, response: Response) -> None:
        with self.machine.desk() as desk:
            api.remember(desk, request, response)
