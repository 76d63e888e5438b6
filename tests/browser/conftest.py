"""The shop on a real port with a real browser, gateway and dialler, in real time."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from django.conf import settings
from playwright.sync_api import BrowserContext, ConsoleMessage, Request
from pytest_django.live_server_helper import LiveServer

from billing.gateways.simulator import GatewaySimulator
from provisioning.simulator.simulator import Simulator
from tests.clock import Clock

CHROMIUM = "/usr/bin/chromium"
# Playwright runs an event loop in the test's thread, which Django would take for async code.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    return {**browser_type_launch_args, "executable_path": CHROMIUM, "args": ["--no-sandbox"]}


@pytest.fixture(scope="session")
def browser_context_args(browser_context_args: dict[str, Any]) -> dict[str, Any]:
    return {**browser_context_args, "locale": "en-GB"}


@pytest.fixture
def clock() -> Iterator[Clock]:
    """Real time, since the browser's cookies live by it."""
    with Clock.at(datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S")) as clock:
        yield clock


@pytest.fixture
def gateway(
    shop: Simulator, live_server: LiveServer, monkeypatch: pytest.MonkeyPatch
) -> Iterator[GatewaySimulator]:
    """The simulated gateway; its webhooks reach the shop, and the shop's forms may lead to it."""
    monkeypatch.setattr(settings, "SITE_URL", str(live_server.url))
    wanted = settings.SIMULATED_GATEWAY
    allowed = settings.CONTENT_SECURITY_POLICY["DIRECTIVES"]["form-action"]
    before = wanted["url"]
    running = GatewaySimulator.start(
        webhook_url=f"{live_server.url}/webhooks/simulated/",
        key=wanted["key"],
        secret=wanted["secrets"][0],
    )
    wanted["url"] = running.url
    allowed.append(running.url)
    yield running
    allowed.remove(running.url)
    wanted["url"] = before
    running.stop()


@pytest.fixture
def complaints(context: BrowserContext, live_server: LiveServer) -> list[str]:
    """What the browser complains about: scripts, content policy, anything not loaded; and every
    request that neither we nor the gateway get.
    """
    found: list[str] = []

    def asked(request: Request) -> None:
        if not request.url.startswith((str(live_server.url), settings.SIMULATED_GATEWAY["url"])):
            found.append(f"asks elsewhere: {request.url}")

    def said(message: ConsoleMessage) -> None:
        if message.type == "error":
            found.append(f"{message.text} {message.location['url']}")

    context.on("request", asked)
    context.on("console", said)
    context.on("weberror", lambda error: found.append(str(error.error)))
    return found
