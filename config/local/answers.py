"""What `make run` decided for one copy: ports, addresses and secrets, kept in VAR_DIR/local.env.

Every `manage.py` command with the same VAR_DIR reads that file (config/env.py), so it talks to this
copy. What the operator sets in the environment is not written down and wins.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cryptography.fernet import Fernet

from config.local import ports
from config.local.passwords import write_private
from config.local.processes import environment

DEFAULT_PORT = 8000
SECRETS = (
    "SECRET_KEY",
    "FIELD_KEYS",
    "SIMULATED_GATEWAY_KEY",
    "SIMULATED_GATEWAY_SECRET",
    "SIMULATOR_PASSWORD",
    "STRIPE_WEBHOOK_SECRETS",
)
STRIPE_LIKE, PAYPAL_LIKE = "stripe-like", "paypal-like"


@dataclass(frozen=True)
class Ports:
    web: int
    simulator: int
    gateway: int
    # Of the stand-ins for Stripe and PayPal, where GATEWAY asks for one.
    stripe: int | None = None
    paypal: int | None = None

    def named(self) -> dict[str, int]:
        return {
            "PORT": self.web,
            "SIMULATOR_PORT": self.simulator,
            "GATEWAY_PORT": self.gateway,
            **({"STRIPE_PORT": self.stripe} if self.stripe else {}),
            **({"PAYPAL_PORT": self.paypal} if self.paypal else {}),
        }


def chosen_ports(var: Path, environment: Mapping[str, str]) -> Ports:
    """Return the ports that the operator named, else 8000, the next one, and a free one."""
    web, book = int(environment.get("PORT") or DEFAULT_PORT), var / "ports.json"
    simulator = int(environment.get("SIMULATOR_PORT") or web + 1)
    gateway = environment.get("GATEWAY_PORT")
    return Ports(
        web=web,
        simulator=simulator,
        gateway=int(gateway) if gateway else ports.remembered(book, "gateway"),
        stripe=_stand_in("stripe", STRIPE_LIKE, book, environment),
        paypal=_stand_in("paypal", PAYPAL_LIKE, book, environment),
    )


def _stand_in(name: str, wanted: str, book: Path, environment: Mapping[str, str]) -> int | None:
    """Return the port of a stand-in, None where GATEWAY does not ask for it."""
    if environment.get("GATEWAY") != wanted:
        return None
    named = environment.get(f"{name.upper()}_PORT")
    return int(named) if named else ports.remembered(book, name)


def write(var: Path, *, chosen: Ports, urls: Mapping[str, str]) -> dict[str, str]:
    """Write local.env (mode 0600) and return the whole environment for this copy's processes.

    Secrets that an earlier start made are kept, for the database holds values they encrypted.
    """
    path = var / "local.env"
    before = _read(path)
    answers = {
        **urls,
        "SITE_URL": f"http://localhost:{chosen.web}",
        "SIMULATOR_URL": f"http://localhost:{chosen.simulator}",
        "SIMULATED_GATEWAY_URL": f"http://localhost:{chosen.gateway}",
        "DEMO": "1",
        "DEBUG": "0",
        **{name: before.get(name) or _new_secret(name) for name in SECRETS},
        **_stripe_like(chosen.stripe, before=before),
        **_paypal_like(chosen.paypal, var=var, before=before),
    }
    lines = ["# Written by make run; the environment wins over it."]
    lines += [f"{name}={value}" for name, value in answers.items()]
    write_private(path, "\n".join(lines) + "\n")
    return {**answers, **environment(), "VAR_DIR": str(var)}


def _stripe_like(port: int | None, *, before: Mapping[str, str]) -> dict[str, str]:
    """Return what lets the shop speak to the stand-in as if it were Stripe."""
    if port is None:
        return {}
    url = f"http://localhost:{port}"
    key = before.get("STRIPE_SECRET_KEY") or f"sk_test_{_new_secret('STRIPE_SECRET_KEY')}"
    return {
        "STRIPE_SECRET_KEY": key,
        "STRIPE_ACCOUNT": "acct_stripelike",
        "STRIPE_API_BASE": url,
        "STRIPE_PAGE_ORIGIN": url,
    }


def _paypal_like(port: int | None, *, var: Path, before: Mapping[str, str]) -> dict[str, str]:
    """Return what lets the shop speak to the stand-in as if it were PayPal."""
    if port is None:
        return {}
    url, name = f"http://localhost:{port}", "PAYPAL_CLIENT_SECRET"
    return {
        "PAYPAL_CLIENT_ID": "client-of-the-shop",
        name: before.get(name) or _new_secret(name),
        "PAYPAL_WEBHOOK_IDS": "8PT597110X687430LKGECATA",
        "PAYPAL_ACCOUNT": "MERCHANTLIKE1",
        "PAYPAL_API_BASE": url,
        "PAYPAL_PAGE_ORIGIN": url,
        "PAYPAL_ROOTS": str((var / "paypal-roots.pem").absolute()),
    }


def _new_secret(name: str) -> str:
    if name == "FIELD_KEYS":
        return Fernet.generate_key().decode()
    return secrets.token_urlsafe(48 if name == "SECRET_KEY" else 24)


def _read(path: Path) -> dict[str, str]:
    if not path.exists():
        return {}
    pairs = (line.partition("=") for line in path.read_text().splitlines() if line[:1] != "#")
    return {name: value for name, _, value in pairs}
