"""How one stand-in is set up."""

from dataclasses import dataclass

from ..setup import KeyedSetup

API_VERSION = "2026-10-28.endive"


@dataclass(frozen=True, kw_only=True)
class Setup(KeyedSetup):
    """Debits settle after seconds where Stripe needs days."""

    account: str = "acct_stripelike"
    settle_seconds: float = 10.0
