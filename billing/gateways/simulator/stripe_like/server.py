"""The stand-in over HTTP: who may ask, and its errors."""

from collections.abc import Callable

from ..frame import Frame
from ..web import JSON, Request, Response
from . import api, controls, pages
from .errors import Refused, missing
from .machine import Machine
from .setup import Setup

BROKEN = b'{"error": {"type": "api_error", "message": "An unknown error occurred"}}'


class StripeLikeServer(Frame[Machine]):
    """The stand-in and its socket."""

    def __init__(self, setup: Setup) -> None:
        modules = (api.routes, controls.routes, pages.routes)
        super().__init__(Machine(setup), setup.host, setup.port, *modules)

    def asked(self, request: Request) -> Response:
        if not api.authorised(request, self.machine.setup.key):
            return api.refusal(Refused(401, "invalid_request_error", message="Invalid API Key"))
        return self.route(request)

    def handled(
        self, handler: Callable[..., Response], request: Request, ids: tuple[str, ...]
    ) -> Response:
        return api.answer(handler, request, ids)

    def missing(self, request: Request) -> Response:
        return api.refusal(missing(request.path))

    def broken(self) -> Response:
        return Response(500, BROKEN, JSON)

    def keep(self, request: Request, response: Response) -> None:
        with self.machine.rules() as bank:
            api.remember(bank, request, response)
