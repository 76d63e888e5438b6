"""The countries that an address may have, in the reader's language."""

from babel import Locale
from django.utils.translation import get_language

# Babel's territories also hold continents (three digits) and regions that have no addresses.
NO_ADDRESSES = frozenset(("EU", "EZ", "QO", "UN", "ZZ", "XA", "XB"))
PLAIN_LETTERS = str.maketrans("ÄÖÜÅÉÎÇ", "AOUAEIC")


def name(code: str) -> str:
    """Return the country's name in the reader's language, the code itself of none."""
    locale = Locale.parse((get_language() or "en").split("-")[0])
    return str(locale.territories.get(code, code))


def named() -> list[tuple[str, str]]:
    """Return code and name of every country in the reader's language, sorted by name."""
    locale = Locale.parse((get_language() or "en").split("-")[0])
    found = [
        (code, name)
        for code, name in locale.territories.items()
        if len(code) == 2 and code.isalpha() and code not in NO_ADDRESSES
    ]
    return sorted(found, key=lambda pair: sort_key(pair[1]))


def sort_key(name: str) -> str:
    """Return what names are sorted by: Österreich stands beside Osten."""
    return name.upper().translate(PLAIN_LETTERS)
