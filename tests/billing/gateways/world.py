"""The shop's side of the gateway's tests: a real webhook receiver, requests, and waiting."""

import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import requests

from billing.gateways.base import PaymentRequest
from billing.gateways.simulator import GatewaySimulator
from billing.gateways.simulator.paypal_like import PayPalLike
from billing.gateways.simulator.stripe_like import StripeLike
from packages.money import Money

KEY = "key-of-the-shop"
SECRET = "secret-of-the-endpoint"
RETURN_URL = "http://shop.example/return/"


@dataclass(frozen=True)
class Received:
    """One webhook as it came over the wire."""

    body: bytes
    headers: dict[str, str]


class Receiver(ThreadingHTTPServer):
    """Answers the statuses of `answers` one by one, then 200, and keeps what it got."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.url = f"http://127.0.0.1:{self.server_port}/webhooks/"
        self.answers: list[int] = []
        self.received: list[Received] = []
        self.thread = threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True)
        self.thread.start()

    def stop(self) -> None:
        """Free the port."""
        self.shutdown()
        self.thread.join()
        self.server_close()


class _Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.received.append(Received(body, dict(self.headers.items())))
        self.send_response(self.server.answers.pop(0) if self.server.answers else 200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet."""


def payment_request(**changes: Any) -> PaymentRequest:
    """A request for 49 euros under a new key."""
    request = PaymentRequest(
        key=uuid.uuid4().hex,
        amount=Money(49_00, "EUR"),
        description="Invoice R-2026-0042",
        customer_email="owner@example.com",
        language="en",
        return_url=RETURN_URL,
        save_method=False,
    )
    return replace(request, **changes)


def order(
    simulator: GatewaySimulator | StripeLike | PayPalLike, path: str, data: Any = None
) -> Any:
    """Ask the simulator's controls for something; the answer."""
    answer = requests.post(f"{simulator.url}/_sim/{path}", json=data or {}, timeout=5)
    assert answer.status_code == 200, answer.text
    return answer.json()


def press(url: str, action: str, card_number: str = "4242 4242 4242 4242") -> requests.Response:
    """Press a button of the hosted page as a browser without scripts would."""
    form = {"action": action, "card_number": card_number}
    return requests.post(url, data=form, timeout=5, allow_redirects=False)


def until(condition: Callable[[], object], seconds: float = 5) -> None:
    """Return once the condition holds; fail after `seconds`."""
    limit = time.monotonic() + seconds
    pause = threading.Event()
    while not condition():
        assert time.monotonic() < limit, "waited in vain"
        pause.wait(0.01)
