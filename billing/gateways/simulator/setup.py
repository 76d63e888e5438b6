"""How one simulation is set up."""

from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class Setup:
    """Addresses and times; these are short because nobody wants to wait for a simulation."""

    webhook_url: str
    account: str = "demo"
    merchant: str = "Nordcast"
    host: str = "127.0.0.1"
    port: int = 0
    data: str = ":memory:"
    public_url: str = ""
    settle_seconds: float = 5.0
    retry_seconds: float = 1.0
    webhook_timeout_seconds: float = 10.0


@dataclass(frozen=True, kw_only=True)
class KeyedSetup(Setup):
    """Of a gateway that knows the shop by a key, and signs what it tells it with a secret."""

    key: str = field(repr=False)
    secret: str = field(repr=False)
