"""The command lines of the product's processes, as docs/operations.md shows them."""

import sys
from collections.abc import Mapping
from pathlib import Path

from config.local import ports
from config.local.answers import Ports

# The queues of each worker: whatever a dialler does, it holds up nobody but diallers.
WORKERS = {"worker": "default,mail", "dialler-worker": "provisioning"}


def all_for(var: Path, *, chosen: Ports, env: Mapping[str, str]) -> dict[str, list[str]]:
    """Return name and command of every process of one copy, in the order they start."""
    stand_ins = {
        **({"stripe-like": _stripe_like(var, chosen)} if chosen.stripe else {}),
        **({"paypal-like": _paypal_like(var, chosen)} if chosen.paypal else {}),
    }
    return {
        "dialler-simulator": _dialler(var, chosen),
        "simulated-gateway": _gateway(var, chosen=chosen, env=env),
        **stand_ins,
        **{name: _worker(name, chosen) for name in WORKERS},
        "beat": _beat(var),
        "web": _web(chosen),
    }


def _web(chosen: Ports) -> list[str]:
    command = [sys.executable, "-m", "gunicorn", "config.wsgi", "--no-control-socket"]
    command += ["--bind", f"{ports.HOST}:{chosen.web}", "--workers", "2", "--threads", "4"]
    return [*command, "--graceful-timeout", "5"]


def _worker(name: str, chosen: Ports) -> list[str]:
    """The node name carries the port, because several copies may share a machine."""
    command = [*_celery("worker"), "--queues", WORKERS[name], "--concurrency", "2"]
    return [*command, "--hostname", f"{name}-{chosen.web}@%h", "--loglevel", "INFO"]


def _beat(var: Path) -> list[str]:
    return [*_celery("beat"), "--schedule", str(var / "beat-schedule"), "--loglevel", "INFO"]


def _celery(command: str) -> list[str]:
    return [sys.executable, "-m", "celery", "--app", "config", command]


def _dialler(var: Path, chosen: Ports) -> list[str]:
    """Its password comes from SIMULATOR_PASSWORD."""
    command = [sys.executable, "-m", "provisioning.simulator", "--port", str(chosen.simulator)]
    return [*command, "--data", str(var / "simulator.sqlite3")]


def _gateway(var: Path, *, chosen: Ports, env: Mapping[str, str]) -> list[str]:
    command = [sys.executable, "-m", "billing.gateways.simulator", "--port", str(chosen.gateway)]
    command += ["--data", str(var / "gateway.sqlite3")]
    command += ["--public-url", env["SIMULATED_GATEWAY_URL"]]
    command += ["--webhook-url", f"http://{ports.HOST}:{chosen.web}/webhooks/simulated/"]
    command += ["--key", env["SIMULATED_GATEWAY_KEY"]]
    return [*command, "--secret", env["SIMULATED_GATEWAY_SECRET"]]


def _stripe_like(var: Path, chosen: Ports) -> list[str]:
    """Its key and secret come from STRIPE_SECRET_KEY and STRIPE_WEBHOOK_SECRETS."""
    command = [sys.executable, "-m", "billing.gateways.simulator.stripe_like"]
    command += ["--port", str(chosen.stripe), "--data", str(var / "stripe.sqlite3")]
    return [*command, "--webhook-url", f"http://{ports.HOST}:{chosen.web}/webhooks/stripe/"]


def _paypal_like(var: Path, chosen: Ports) -> list[str]:
    """Its secrets, addresses and where its root certificate is written come from PAYPAL_…"""
    command = [sys.executable, "-m", "billing.gateways.simulator.paypal_like"]
    command += ["--port", str(chosen.paypal), "--data", str(var / "paypal.sqlite3")]
    return [*command, "--webhook-url", f"http://{ports.HOST}:{chosen.web}/webhooks/paypal/"]
