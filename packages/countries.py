"""The countries that an address may have, in the reader's language."""

from packages import locales

# Babel's territories also hold continents (three digits) and regions that have no addresses.
NO_ADDRESSES = frozenset(("EU", "EZ", "QO", "UN", "ZZ", "XA", "XB"))
PLAIN_LETTERS = str.maketrans("ÄÖÜÅÉÎÇ", "AOUAEIC")


def name(code: str) -> str:
    """Return the country's name in the reader's language, the code itself of none."""
    return str(locales.reader().territories.get(code, code))


def named() -> list[tuple[str, str]]:
    """Return code and name of every country in the reader's language, sorted by name."""
    found = [
        (code, name)
        for code, name in locales.reader().territories.items()
        if len(code) == 2 and code.isalpha() and code not in NO_ADDRESSES
    ]
    return sorted(found, key=lambda pair: sort_key(pair[1]))


def sort_key(name: str) -> str:
    """Return what names are sorted by: Österreich stands beside Osten."""
    return name.upper().translate(PLAIN_LETTERS)
