"""What every form that asks for an address asks alike: a VAT id that fits."""

from django import forms
from django.utils.translation import gettext as _

from billing import vat_ids


def vat_id(text: str, country: str) -> str:
    """Return the id in its compact form; raise ValidationError for one that cannot be.

    Whether it is registered is asked later.
    """
    try:
        return vat_ids.well_formed(text, country)
    except vat_ids.NotAVatId:
        raise forms.ValidationError(
            _("This is not a valid VAT number. It begins with the country code, e.g. DE136695976.")
        ) from None
    except vat_ids.OtherCountry:
        raise forms.ValidationError(
            _("This VAT number belongs to another country than your address.")
        ) from None
