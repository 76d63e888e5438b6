"""Why a top-up was not accepted, in words that help the customer on."""

from django.utils.translation import gettext as _

from billing.models import Brand
from billing.top_up_limits import Refused
from storefront.templatetags.money import money_filter


def words(refused: Refused, brand: Brand) -> str:
    """Say which limit it is, how much may still be bought, and who may raise it."""
    told = {
        "limit": money_filter(refused.limit),
        "left": money_filter(refused.left),
        "contact": brand.support_email,
    }
    if refused.code == "balance":
        why = _("An account holds at most %(limit)s of credit, with what is on its way.")
    elif refused.code == "day":
        why = _("To protect you from fraud, you can buy %(limit)s of credit within 24 hours.")
    else:
        why = _("To protect you from fraud, you can buy %(limit)s of credit within 30 days.")
    more = _(
        "Nothing was ordered. You can still buy %(left)s now. If you need more, write to "
        "%(contact)s: we raise the limit after a short look."
    )
    return f"{why} {more}" % told
