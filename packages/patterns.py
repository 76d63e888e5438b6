"""Patterns: packages to begin from, with everything filled in that one can know beforehand."""

from dataclasses import dataclass, field
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from packages.models import Cycle, Package, Service

Kind = Package.Kind
ALL = [str(each) for each in Service]


@dataclass(frozen=True, slots=True)
class Pattern:
    """`group` is its address and names; `prices` are whole units of any currency, by cycle: the
    price, the set-up fee, the credit.
    """

    code: str
    label: str | Promise
    about: str | Promise
    kind: Package.Kind
    group: tuple[str, str, str]
    en: tuple[str, str]
    de: tuple[str, str]
    prices: dict[Cycle, tuple[int, int, int]]
    more: dict[str, Any] = field(default_factory=dict)


PLANS = ("plans", "Packages", "Pakete")

PATTERNS = (
    Pattern(
        "starter",
        _("Small subscription"),
        _("Voice and e-mail with five channels, a monthly price, minutes and credit included."),
        Kind.SUBSCRIPTION,
        PLANS,
        ("Starter", "Everything for your first campaigns."),
        ("Starter", "Alles für Ihre ersten Kampagnen."),
        {Cycle.MONTHLY: (29, 0, 5), Cycle.YEARLY: (290, 0, 60)},
        {
            "channels": 5,
            "services": ["voice", "email"],
            "voice_minutes": 300,
            "email_messages": 2_000,
            "allowance": Package.Allowance.RESET,
        },
    ),
    Pattern(
        "business",
        _("Large subscription"),
        _("All four services with twenty channels, monthly or yearly, with a set-up fee."),
        Kind.SUBSCRIPTION,
        PLANS,
        ("Business", "All four services for teams that send every day."),
        ("Business", "Alle vier Dienste für Teams, die täglich senden."),
        {Cycle.MONTHLY: (79, 49, 20), Cycle.YEARLY: (790, 0, 240)},
        {
            "channels": 20,
            "services": ALL,
            "voice_minutes": 2_000,
            "sms_messages": 250,
            "allowance": Package.Allowance.RESET,
        },
    ),
    Pattern(
        "flex",
        _("Pay as you go"),
        _("No monthly fee: the customer pays once and gets credit to use up."),
        Kind.PAY_AS_YOU_GO,
        ("flex", "Pay as you go", "Nach Verbrauch"),
        ("Flex", "Pay for what you send. The first credit is in the price."),
        ("Flex", "Sie zahlen, was Sie senden. Das erste Guthaben ist im Preis enthalten."),
        {Cycle.ONE_TIME: (20, 0, 20)},
        {"channels": 10, "services": ALL},
    ),
    Pattern(
        "credit",
        _("Top-up"),
        _("Credit for an account that the customer has already."),
        Kind.TOP_UP,
        ("credit", "Top up", "Guthaben aufladen"),
        ("Credit 25", "For a small campaign."),
        ("Guthaben 25", "Für eine kleine Kampagne."),
        {Cycle.ONE_TIME: (25, 0, 25)},
    ),
)


def pattern(code: str) -> Pattern:
    """Return the pattern of that code; raise KeyError if there is none."""
    return {each.code: each for each in PATTERNS}[code]
