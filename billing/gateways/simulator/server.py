"""The simulated gateway over HTTP: who may ask, and its errors."""

from collections.abc import Callable

from . import api, checkout, controls, overview
from .frame import Frame
from .machine import Machine
from .payments import Refused
from .setup import KeyedSetup
from .web import Request, Response, json_response


class GatewayServer(Frame[Machine]):
    """The simulated gateway and its socket."""

    def __init__(self, setup: KeyedSetup) -> None:
        modules = (api.routes, checkout.routes, controls.routes, overview.routes)
        super().__init__(Machine(setup), setup.host, setup.port, *modules)

    def asked(self, request: Request) -> Response:
        if not api.authorised(request, self.machine.setup.key):
            return api.error(401, "wrong_key")
        return self.route(request)

    def handled(
        self, handler: Callable[..., Response], request: Request, ids: tuple[str, ...]
    ) -> Response:
        try:
            return handler(request, *ids)
        except Refused as refused:
            return api.error(refused.status, refused.code)
        except (ValueError, TypeError, AttributeError, KeyError) as error:
            return json_response(400, {"error": {"code": "invalid", "detail": str(error)}})
        except LookupError:
            return api.error(404, "no_such_event")

    def missing(self, request: Request) -> Response:
        return api.error(404, "no_such_page")

    def broken(self) -> Response:
        return api.error(500, "internal")

    def keep(self, request: Request, response: Response) -> None:
        with self.machine.rules() as desk:
            api.remember(desk, request, response)
