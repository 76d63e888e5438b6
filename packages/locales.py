"""How a language writes amounts, dates and names of countries (CLDR through Babel)."""

from babel import Locale
from django.utils.translation import get_language


def of(language: str) -> Locale:
    """Return the language's locale; English as Europe writes it (6 December 2026)."""
    language = language.split("-")[0]
    return Locale.parse({"en": "en_GB"}.get(language, language))


def reader() -> Locale:
    """Return the locale of the active language."""
    return of(get_language() or "en")
