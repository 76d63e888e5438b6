"""Amounts, dates and countries as a reader of a language writes them (CLDR through Babel)."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from babel import Locale
from babel.dates import format_date
from babel.numbers import format_currency, format_decimal, format_percent

from packages import locales
from packages.money import BASIS, Money
from packages.periods import Period


@dataclass(frozen=True, slots=True)
class Format:
    """Prints values for one language; amounts are minor units of one currency."""

    language: str
    currency: str

    @property
    def locale(self) -> Locale:
        return locales.of(self.language)

    def money(self, minor: int) -> str:
        return minus(
            format_currency(
                Money(minor, self.currency).decimal(), self.currency, locale=self.locale
            )
        )

    def number(self, value: int) -> str:
        return format_decimal(value, locale=self.locale)

    def percent(self, basis_points: int) -> str:
        """Return e.g. "19 %" or "7.7%"; no digit of the rate is lost."""
        return format_percent(
            Decimal(basis_points) / BASIS, locale=self.locale, decimal_quantization=False
        )

    def date(self, on: date | None) -> str:
        return format_date(on, format="long", locale=self.locale) if on else ""

    def period(self, stretch: Period) -> str:
        """Return first and last day; the row's end is the first day after."""
        first, last = (
            format_date(on, format="medium", locale=self.locale)
            for on in (stretch.start_on, stretch.last_on)
        )
        return f"{first} – {last}"

    def country(self, code: str) -> str:
        return str(self.locale.territories.get(code, code))


def minus(text: str) -> str:
    """Return a formatted amount with a true minus sign: a hyphen breaks lines and is too short."""
    return text.replace("-", "\N{MINUS SIGN}")


def in_fours(iban: str) -> str:
    """Return an IBAN as it stands on cards and statements: DE02 1203 0000 …"""
    digits = iban.replace(" ", "")
    return " ".join(digits[at : at + 4] for at in range(0, len(digits), 4))
