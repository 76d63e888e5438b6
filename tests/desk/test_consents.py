"""The register of consents: what was agreed to, in which words and when."""

from __future__ import annotations

from django.test import Client

from billing.models import Order
from provisioning.models import Account
from tests import second_factor
from tests.billing import orders
from tests.desk import pages


def test_the_register_tells_what_was_agreed_to_with_version_and_time(
    staff: Client, account: Account
) -> None:
    customer = account.subscription.customer
    words = str(orders.CONSENTS["terms"]["text"])
    customer.orders.update(consents=orders.CONSENTS)
    assert "Consents" in pages.text(staff.get(pages.address(customer)))
    for address in ("/admin/consents/", f"/admin/consents/?customer={customer.pk}"):
        assert words in pages.text(staff.get(address))
        file = staff.get(address, {"file": "consents", "customer": str(customer.pk)})
        assert words in file.content.decode()
    reader = second_factor.signs_in(second_factor.person("reader", "reader@shop.test"))
    assert reader.get("/admin/consents/").status_code == 200
    assert staff.get("/admin/consents/?customer=0").status_code == 404


def test_an_orders_page_says_what_was_agreed_to_as_people_write(
    staff: Client, account: Account
) -> None:
    order = Order.objects.get()
    said = {"text": "I agree.", "version": "1", "at": "2026-03-02T09:00:00+00:00"}
    Order.objects.update(consents={"terms": said})
    page = pages.text(staff.get(pages.address(order), headers={"accept-language": "de"}))
    assert "I agree. · Fassung 1 · 2. März 2026 10:00" in page
