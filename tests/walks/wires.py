"""The simulators without sockets: our own clients ask, and the simulators' own rules answer.

Only the wire between them is left out. It is the slowest part of a step, and tested elsewhere.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import pytest

from billing import gateways
from billing.gateways.base import Unavailable
from billing.gateways.simulated import SimulatedGateway, _judged
from billing.gateways.simulator.server import GatewayServer
from billing.gateways.simulator.setup import KeyedSetup
from billing.gateways.simulator.web import Hangup, Request
from provisioning.dialler import transport
from provisioning.dialler.errors import NotSent, Unknown
from provisioning.dialler.transport import Answer, _login
from provisioning.dialler.values import Endpoint
from provisioning.simulator.machine import Machine
from provisioning.simulator.site import Site
from provisioning.simulator.web import Arrival


class DiallerWire:
    """Stands where `transport.post` stands; `cut` is a server that cannot be reached at all."""

    def __init__(self, machine: Machine) -> None:
        self.cut = False
        self._site = Site(machine, profile="both", now=machine._now)

    def post(
        self,
        endpoint: Endpoint,
        method: str,
        arguments: Mapping[str, str],
        *,
        secrets: tuple[str, ...],
    ) -> Answer:
        if self.cut:
            raise NotSent("The server was not reached (cut).")
        page = self._site(
            Arrival(
                verb="POST",
                path=f"{urlsplit(endpoint.base_url).path}/{method}",
                fields={**_login(endpoint), **arguments},
                body=b"",
                authorization=f"Bearer {endpoint.secret}" if endpoint.auth == "bearer" else "",
                cookies="",
                accept="",
                loopback=True,
            )
        )
        if page.manner:
            raise Unknown(f"No complete answer arrived ({page.manner}).")
        return Answer(page.status, page.body.decode(), (endpoint.secret, *secrets))


class DirectGateway(SimulatedGateway):
    """The adapter to the simulated gateway, whose requests are handed over instead of sent."""

    server: GatewayServer

    def _call(self, method: str, path: str, **options: Any) -> dict[str, Any]:
        headers = {"authorization": f"Bearer {self._key}"}
        headers |= {name.lower(): value for name, value in options.get("headers", {}).items()}
        query = {name: str(value) for name, value in options.get("params", {}).items()}
        body = json.dumps(options["json"]).encode() if "json" in options else b""
        try:
            answer = self.server._answer(Request(method, path, query, headers, body))
            content = json.loads(answer.body)
        except (Hangup, ValueError) as error:
            raise Unavailable(type(error).__name__) from error
        return _judged(answer.status, content)


@contextmanager
def dialler_wired(machine: Machine) -> Iterator[DiallerWire]:
    """Let the shop reach this dialler without a socket."""
    wire = DiallerWire(machine)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(transport, "post", wire.post)
        yield wire


@contextmanager
def gateway_wired(config: Mapping[str, Any]) -> Iterator[GatewayServer]:
    """Let the shop reach a gateway of its own without a socket; it delivers nothing by itself."""
    server = GatewayServer(
        KeyedSetup(
            webhook_url="http://127.0.0.1:9/",
            key=config["key"],
            secret=config["secrets"][0],
            data=":memory:",
        )
    )
    name = f"{__name__}.{DirectGateway.__name__}"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(DirectGateway, "server", server, raising=False)
        patch.setitem(gateways.GATEWAYS, "simulated", name)
        yield server
    server._http.server_close()
    server.machine.store.close()
