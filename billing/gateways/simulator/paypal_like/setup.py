"""How one stand-in is set up."""

from dataclasses import dataclass, field

from .. import setup


@dataclass(frozen=True, kw_only=True)
class Setup(setup.Setup):
    """What is pending settles after seconds where PayPal needs days."""

    # Where the root certificate is written, for the shop to trust.
    roots: str
    client_id: str = "client-of-the-shop"
    client_secret: str = field(default="secret-of-the-client", repr=False)
    webhook_id: str = "8PT597110X687430LKGECATA"
    account: str = "MERCHANTLIKE1"
    token_seconds: int = 32_400
    settle_seconds: float = 10.0

    @property
    def secret(self) -> str:
        """What a delivery is signed for: the id of the shop's webhook."""
        return self.webhook_id
