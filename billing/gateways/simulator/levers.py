"""/_sim: what may be ordered of every stand-in. Never part of a real gateway."""

from collections.abc import Callable
from typing import Any, Generic, TypeVar

from . import events
from .engine import Engine
from .events import Shaping
from .web import Request, Response, Route, json_response, route, see_other

E = TypeVar("E", bound=Engine[Any])


class Levers(Generic[E]):
    """The handlers. A form of the overview is answered with the overview, JSON with JSON."""

    def __init__(self, machine: E) -> None:
        self._machine = machine

    def routes(self, ordered: dict[str, Callable[..., Response]]) -> list[Route]:
        """The routes of these, and of what is `ordered` beside them, by its path below /_sim/."""
        common: dict[str, Callable[..., Response]] = {
            "faults": self.set_faults,
            "webhooks": self.shape_webhooks,
            "forget_keys": self.forget_keys,
            "events/ID/resend": self.resend,
        }
        posts = [route("POST", f"/_sim/{path}", do) for path, do in {**common, **ordered}.items()]
        return [route("GET", "/_sim/faults", self.faults), *posts]

    def faults(self, request: Request) -> Response:
        """The faults still to come."""
        return json_response(200, self._machine.faults.left())

    def set_faults(self, request: Request) -> Response:
        """Replace the faults; an empty list ends them."""
        self._machine.faults.set(request.data())
        return self.faults(request)

    def shape_webhooks(self, request: Request) -> Response:
        """Say how the following events are delivered, and let held ones go (`release`)."""
        asked = dict(request.data())
        order = asked.pop("release", None)
        if order not in {None, "as_is", "reversed", "shuffled"}:
            raise ValueError("release is as_is, reversed or shuffled")
        try:
            self._machine.shaping = Shaping(**asked)
        except TypeError as error:
            raise ValueError(str(error)) from error
        if order:
            with self._machine.rules() as rules:
                events.release(rules.store, order, at=rules.at)
        return json_response(200, vars(self._machine.shaping))

    def forget_keys(self, request: Request) -> Response:
        """Forget all idempotency keys, as gateways do after hours or days."""
        with self._machine.rules() as rules:
            return json_response(200, {"forgotten": rules.store.run("DELETE FROM answer")})

    def resend(self, request: Request, event_id: str) -> Response:
        """Deliver an event `times` (1) more. Raises LookupError where there is none."""
        with self._machine.rules() as rules:
            if not rules.store.row("SELECT id FROM event WHERE id = ?", event_id):
                raise LookupError(event_id)
            times = int(request.data().get("times", 1))
            events.send_again(rules.store, event_id, times=times, at=rules.at)
        return self._done(request, {"times": times})

    def _done(self, request: Request, told: dict[str, Any]) -> Response:
        return see_other("/") if request.is_form else json_response(200, told)
