"""The simulated gateway as a process: says when it is ready, ends on SIGTERM, keeps its memory."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from billing.gateways.simulated import SimulatedGateway
from tests.billing.gateways.world import KEY, SECRET, payment_request


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(port: int, data: Path) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "billing.gateways.simulator", "--port", str(port)]
    command += ["--data", str(data), "--webhook-url", "http://127.0.0.1:9/"]
    secrets = {"SIMULATED_GATEWAY_KEY": KEY, "SIMULATED_GATEWAY_SECRET": f"{SECRET} older"}
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env=os.environ | secrets, start_new_session=True
    )
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=10) == 0


def test_restarted_process_still_knows_its_payments(tmp_path: Path) -> None:
    port, request = free_port(), payment_request()
    url = f"http://127.0.0.1:{port}"
    gateway = SimulatedGateway({"url": url, "key": KEY, "secrets": [SECRET], "account": "demo"})
    with running(port, tmp_path / "gateway.sqlite3") as process:
        assert process.stdout
        assert process.stdout.readline().startswith("Simulated gateway ready at http://")
        start = gateway.start_payment(request)
    with running(port, tmp_path / "gateway.sqlite3") as process:
        assert process.stdout
        process.stdout.readline()
        assert gateway.fetch_payment(start.external_id).key == request.key
