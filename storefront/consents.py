"""What a buyer agrees to, in the words they read: stored with the order, version and time."""

from datetime import datetime
from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext as _

from billing.models import Brand, current_brand
from packages.money import Money
from storefront.templatetags.money import money_filter


def sentences(brand: Brand) -> dict[str, str]:
    """Return the sentence beside each box by the field's name, in the reader's language."""
    words = {"brand": brand.name, "version": brand.terms_version}
    return {
        "terms": _(
            "I agree to the terms of %(brand)s (version %(version)s) and have read the "
            "information on the right of withdrawal and on privacy."
        )
        % words,
        "early_start": _(
            "I ask that the service starts before the withdrawal period of 14 days ends. I know "
            "that, if I withdraw, I pay for what was provided until then, and that my right of "
            "withdrawal ends once the service has been provided in full."
        ),
        "keep_method": to_keep(brand),
    }


def to_keep(brand: Brand) -> str:
    """Return the sentence beside the box that lets us keep a payment method."""
    return _(
        "Save this payment method and let %(brand)s charge what renews to it on the due date. "
        "I can turn this off or remove it in the client area at any time."
    ) % {"brand": brand.name}


def agreed_to_keep(request: HttpRequest, *, at: datetime) -> dict[str, Any]:
    """Return the consent that came with a payment's form, empty where the box was not ticked."""
    if not request.POST.get("keep_method"):
        return {}
    brand = current_brand()
    by = request.user.pk
    return {"text": to_keep(brand), "version": brand.terms_version, "at": at.isoformat(), "by": by}


def standing(sums: dict[str, Money], brand: Brand, *, account: str, method: str) -> str:
    """Return the sentence of a standing order for credit; `sums` are below, amount and month."""
    shown = {name: money_filter(each) for name, each in sums.items()}
    words = {**shown, "account": account, "method": method, "brand": brand.name}
    tax = _("including VAT") if brand.prices_include_tax else _("plus VAT")
    if brand.small_business:
        tax = ""
    return _(
        "I order in advance that %(brand)s adds %(amount)s of credit to account %(account)s "
        "whenever its credit falls below %(below)s, and charges %(amount)s %(tax)s to %(method)s "
        "each time, up to %(month)s in a calendar month. Each of these top-ups is an order "
        "that I have to pay. I can switch this off at any time; what was bought stays bought."
    ) % {**words, "tax": tax}


def kept(
    values: dict[str, Any], sentences: dict[str, str], brand: Brand, *, at: datetime
) -> dict[str, Any]:
    """Return the sentences that were ticked, as plain values with version and time."""
    return {
        name: {"text": sentence, "version": brand.terms_version, "at": at.isoformat()}
        for name, sentence in sentences.items()
        if values.get(name)
    }


def agreed(values: dict[str, Any], brand: Brand, *, at: datetime) -> dict[str, Any]:
    """Return what the buyer ticked, as plain values for `Order.consents`."""
    return kept(values, sentences(brand), brand, at=at)
