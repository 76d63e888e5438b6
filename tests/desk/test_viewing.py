"""Staff see the shop as a customer does: only look, for a while, and it is kept who looked."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from billing.models import Customer, Invoice, Subscription, User
from packages.states import StateChange
from provisioning.models import Account, Job
from storefront.urls import urlpatterns
from storefront.viewing import OWN, SHOWN
from tests.clock import Clock
from tests.desk import pages

BANNER = "You see the shop as"


@pytest.fixture
def ada(staff: Client, account: Account) -> Customer:
    """Staff look at the pages of a customer who has a service."""
    customer = Customer.objects.get(email="ada@example.com")
    response = pages.press(staff, customer, "see-shop", reason="cannot find an invoice")
    assert response.redirect_chain[-1][0] == reverse("storefront:dashboard")
    return customer


def test_staff_see_what_the_customer_sees(staff: Client, ada: Customer) -> None:
    invoice, service = Invoice.objects.get(), Subscription.objects.get()
    for name, row in (("invoice", invoice), ("service", service)):
        response = staff.get(reverse(f"storefront:{name}", args=[row.public_id]))
        assert response.status_code == 200
        html = response.content.decode()
        assert BANNER in html
        assert pages.blocked(html) == []
        assert response.headers["Cache-Control"] == "private, no-store"
    assert staff.get(reverse("admin:index")).status_code == 200
    assert BANNER not in Client().get(reverse("storefront:home")).content.decode()


def test_nothing_can_be_done_there(staff: Client, ada: Customer, clock: Clock) -> None:
    """Every address of the shop: what is not shown by name leads back, and no post is heard."""
    invoice, service = Invoice.objects.get(), Subscription.objects.get()
    before = _kept()
    for pattern in urlpatterns:
        name = getattr(pattern, "name", None)
        if name is None or name in OWN:
            continue
        keys = pattern.pattern.converters
        ids = {"public_id": invoice.public_id if "invoice" in name else service.public_id}
        given = {"slug": "business", "page": "imprint", "token": "x"} | ids
        address = reverse(f"storefront:{name}", kwargs={key: given.get(key, 1) for key in keys})
        refused = [staff.post(address, {"deed": "generate", "gateway": "simulated"})]
        refused += [staff.get(address)] if name not in SHOWN else []
        for response in refused:
            assert response.status_code == 302, name
            assert "/admin/" not in response.headers["Location"]
    assert _kept() == before
    assert "nothing was done" in pages.text(staff.get(reverse("storefront:dashboard")))


def _kept() -> list[int]:
    return [model.objects.count() for model in (Invoice, Job, StateChange, Customer, User)]


def test_the_button_ends_it_and_both_are_kept(staff: Client, ada: Customer) -> None:
    response = staff.post(reverse("storefront:viewing_end"))
    assert response.headers["Location"] == pages.address(ada)
    assert BANNER not in staff.get(reverse("storefront:dashboard")).content.decode()
    begun, ended = StateChange.objects.filter(subject="customer", subject_id=ada.pk)
    assert (begun.after, begun.reason) == ("viewing", "cannot find an invoice")
    assert ended.after == "view_ended"
    assert begun.actor == ended.actor == f"staff:{User.objects.get(is_superuser=True).pk}"


def test_it_ends_by_itself_and_with_the_right(staff: Client, ada: Customer, clock: Clock) -> None:
    clock.shift(minutes=29)
    assert BANNER in staff.get(reverse("storefront:dashboard")).content.decode()
    clock.shift(minutes=2)
    assert BANNER not in staff.get(reverse("storefront:dashboard")).content.decode()
    pages.press(staff, ada, "see-shop", reason="again")
    User.objects.filter(is_superuser=True).update(is_superuser=False, role="reader")
    assert BANNER not in staff.get(reverse("storefront:dashboard")).content.decode()
