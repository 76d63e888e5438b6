"""How one stand-in is set up."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Setup:
    """Secrets and addresses; what is pending settles after seconds where PayPal needs days."""

    webhook_url: str
    # Where the root certificate is written, for the shop to trust.
    roots: str
    client_id: str = "client-of-the-shop"
    client_secret: str = field(default="secret-of-the-client", repr=False)
    webhook_id: str = "8PT597110X687430LKGECATA"
    account: str = "MERCHANTLIKE1"
    merchant: str = "Nordcast"
    host: str = "127.0.0.1"
    port: int = 0
    data: str = ":memory:"
    public_url: str = ""
    token_seconds: int = 32_400
    settle_seconds: float = 10.0
    retry_seconds: float = 1.0
    webhook_timeout_seconds: float = 10.0

    @property
    def secret(self) -> str:
        """What a delivery is signed for: the id of the shop's webhook."""
        return self.webhook_id
