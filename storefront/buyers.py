"""Who buys: the customer behind a user, as typed at the checkout."""

from datetime import datetime
from typing import Any

from django.db import transaction
from django.http import HttpRequest

from billing import vat_ids
from billing.models import Customer, Membership, User, current_brand
from storefront.owned import customer_of, user_of

FIELDS = (
    *("name", "company", "is_business", "vat_id", "phone"),
    *("street", "extra", "postcode", "city", "country"),
)


def described(values: dict[str, Any], customer: Customer | None, *, home: str) -> Customer:
    """Return an unsaved customer as typed so far, or as known before anything was typed.

    Good for pricing and for paper. A field that is not valid yet counts as empty, the country as
    `home`.
    """
    if not values:
        return customer or Customer(country=home)
    typed = {name: values[name] for name in FIELDS if values.get(name)}
    return Customer(**{"country": home, **typed})


def save(request: HttpRequest, values: dict[str, Any], *, language: str, at: datetime) -> Customer:
    """Create or update the user's customer and return it. Locks the user: two tabs make one."""
    user = user_of(request)
    with transaction.atomic():
        User.objects.select_for_update().get(pk=user.pk)
        customer = customer_of(request)
        if customer is None:
            customer = Customer(email=user.email, created_at=at)
        for name in FIELDS:
            setattr(customer, name, values[name])
        customer.language = language
        customer.save()
        Membership.objects.get_or_create(user=user, customer=customer)
        vat_ids.ask(customer, current_brand(), at=at)
    return customer
