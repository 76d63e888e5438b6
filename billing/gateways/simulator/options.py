"""How one simulated gateway is set up."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Options:
    """Secrets and addresses; the times are short because nobody wants to wait for a simulation."""

    key: str = field(repr=False)
    secret: str = field(repr=False)
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
