"""How one stand-in is set up."""

from dataclasses import dataclass, field

API_VERSION = "2026-10-28.endive"


@dataclass(frozen=True)
class Setup:
    """Secrets and addresses; debits settle after seconds where Stripe needs days."""

    key: str = field(repr=False)
    secret: str = field(repr=False)
    webhook_url: str
    account: str = "acct_stripelike"
    merchant: str = "Nordcast"
    host: str = "127.0.0.1"
    port: int = 0
    data: str = ":memory:"
    public_url: str = ""
    settle_seconds: float = 10.0
    retry_seconds: float = 1.0
    webhook_timeout_seconds: float = 10.0
