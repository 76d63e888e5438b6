"""Which path leads where: the API of both generations, the controls, the pages for people."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from provisioning.simulator import controls, pages
from provisioning.simulator.machine import Machine, Request, is_down
from provisioning.simulator.web import Arrival, Page, json_page


class Site:
    """Everything the server answers. The clock is read here, once per request."""

    def __init__(self, machine: Machine, *, profile: str, now: Callable[[], datetime]) -> None:
        self._machine = machine
        self._now = now
        both = {"legacy": "legacy", "current": "current"}
        self._profiles = both if profile == "both" else {profile: profile}
        self._profiles = {**self._profiles, "": "legacy" if profile == "both" else profile}

    def __call__(self, arrival: Arrival) -> Page:
        at = self._now()
        if arrival.path == "/_sim/style.css":
            return pages.style()
        if arrival.path.startswith("/_sim/"):
            return controls.respond(self._machine, arrival, at=at)
        with self._machine.store.transaction() as db:
            down = is_down(db)
        if down:
            return Page(503, b"", manner="reset")
        where, rest, method = arrival.path.strip("/").rpartition("rest/")
        if rest and where.strip("/") in self._profiles and arrival.verb in {"GET", "POST"}:
            return self._api(arrival, self._profiles[where.strip("/")], method, at)
        return pages.respond(self._machine, arrival, at=at)

    def _api(self, arrival: Arrival, profile: str, method: str, at: datetime) -> Page:
        if not method.isidentifier():
            return json_page({"ErrorCode": 404, "ErrorMessage": "Not found"}, 404)
        answer = self._machine.call(
            Request(profile, method, arrival.fields, arrival.authorization, at)
        )
        headers = (("Location", answer.location),) if answer.location else ()
        return Page(
            answer.status, answer.body, answer.content_type, headers, answer.manner, answer.seconds
        )
