"""What every form that asks for an address asks alike: the countries, and a VAT id that fits."""

from babel import Locale
from django import forms
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from billing import vat_ids

# Babel's territories also hold continents (three digits) and regions that have no addresses.
NO_ADDRESSES = frozenset(("EU", "EZ", "QO", "UN", "ZZ", "XA", "XB"))
PLAIN_LETTERS = str.maketrans("ÄÖÜÅÉÎÇ", "AOUAEIC")


def countries() -> list[tuple[str, str]]:
    """Return code and name of every country in the reader's language, sorted by name."""
    locale = Locale.parse((get_language() or "en").split("-")[0])
    named = [
        (code, name)
        for code, name in locale.territories.items()
        if len(code) == 2 and code.isalpha() and code not in NO_ADDRESSES
    ]
    # Österreich stands beside Osten.
    return sorted(named, key=lambda pair: pair[1].upper().translate(PLAIN_LETTERS))


def vat_id(text: str, country: str) -> str:
    """Return the id in its compact form; raise ValidationError for one that cannot be.

    Whether it is registered is asked later.
    """
    try:
        return vat_ids.well_formed(text, country)
    except vat_ids.NotAVatId:
        raise forms.ValidationError(
            _("This is not a valid VAT id. It begins with the country code, e.g. DE136695976.")
        ) from None
    except vat_ids.OtherCountry:
        raise forms.ValidationError(
            _("This VAT id belongs to another country than your address.")
        ) from None
