"""A customer is found by anything of theirs, and one page has all of it."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from billing.models import Customer, Invoice, Payment, Remark, User
from provisioning.models import Account, Job
from tests.clock import Clock
from tests.desk import pages
from tests.desk.orders import placed


def found(staff: Client, text: str) -> Any:
    return staff.get(reverse("admin:sheet_search"), {"q": text})


def test_anything_of_a_customer_leads_there(staff: Client, account: Account, clock: Clock) -> None:
    placed("starter", at=clock.now(), email="bob@example.com")
    ada = Customer.objects.get(email="ada@example.com")
    invoice, payment = Invoice.objects.get(customer=ada), Payment.objects.get(customer=ada)
    for text, row in (
        ("ada@example", ada),
        (str(invoice.number), invoice),
        (account.username, account),
        (str(payment.public_id), payment),
        (f"  {payment.key} ", payment),
    ):
        assert found(staff, text).headers["Location"] == pages.address(row), text
    both = pages.text(found(staff, "muster"))
    assert "ada@example.com" in both
    assert "bob@example.com" in both
    assert "Nothing is named" in pages.text(found(staff, "nobody-like-that"))
    assert pages.text(found(staff, "")).count("Customer") < 5


def test_the_list_names_countries_and_languages(staff: Client, account: Account) -> None:
    listed = staff.get(
        reverse("admin:billing_customer_changelist"), headers={"accept-language": "de"}
    ).content.decode()
    assert ">Deutschland</td>" in listed
    assert re.search(r">(Englisch|Deutsch)</td>", listed)


@pytest.mark.parametrize(
    "typed", ["040 12345", "+49 (40) 123", "4940123", "0049-40-1234", "12345-67", "40/1234567"]
)
def test_a_part_of_a_telephone_number_is_enough_however_it_is_spaced_out(
    staff: Client, account: Account, typed: str
) -> None:
    ada = Customer.objects.get(email="ada@example.com")
    Customer.objects.filter(pk=ada.pk).update(phone="+49 40 / 123 45-67")
    assert found(staff, typed).headers["Location"] == pages.address(ada)
    assert "Nothing is named" in pages.text(found(staff, typed + "99"))


def test_what_is_found_says_how_it_stands_and_over_how_much(
    staff: Client, account: Account, clock: Clock
) -> None:
    placed("starter", at=clock.now(), email="bob@example.com")
    words = pages.text(found(staff, "R-2026"))
    assert "Paid €128.00" in words
    assert "Open" in words


def test_who_is_on_the_telephone_is_seen_first(staff: Client, account: Account) -> None:
    ada = Customer.objects.get(email="ada@example.com")
    Customer.objects.filter(pk=ada.pk).update(phone="+49 40 1234567")
    html = staff.get(pages.address(ada)).content.decode()
    facts, rest = html.split('<dl class="desk-facts">')[1].split("</dl>")
    assert '<a href="mailto:ada@example.com">' in facts
    assert '<a href="tel:+49401234567">+49 40 1234567</a>' in facts
    assert "Owes" in facts
    assert 'aria-labelledby="part-services"' in rest


def test_an_account_and_a_job_lead_to_the_customer_and_the_service(
    staff: Client, account: Account
) -> None:
    service = account.subscription
    links = [pages.address(service), pages.address(service.customer)]
    for row in (account, Job.objects.all()[0]):
        html = staff.get(pages.address(row)).content.decode()
        assert [each in html for each in links] == [True, True], row
    assert links[1] in staff.get("/admin/provisioning/account/").content.decode()


def test_a_payment_leads_to_its_refund_and_a_service_to_its_suspension(
    staff: Client, account: Account, clock: Clock
) -> None:
    clock.work()
    payment, service = Payment.objects.get(), account.subscription
    refund = pages.deed_address(Invoice.objects.get(), "credit")
    suspend = pages.deed_address(account, "suspend")
    assert refund in staff.get(pages.address(payment)).content.decode()
    assert suspend in staff.get(pages.address(service)).content.decode()
    # Nobody is led to what they may not do.
    User.objects.filter(is_staff=True).update(is_superuser=False, role=User.Role.READER)
    assert refund not in staff.get(pages.address(payment)).content.decode()
    assert suspend not in staff.get(pages.address(service)).content.decode()


def test_a_remark_is_by_a_person_with_a_name(staff: Client, account: Account) -> None:
    ada = Customer.objects.get(email="ada@example.com")
    pages.press(staff, ada, "remark", text="Called back.")
    name = str(User.objects.get(is_staff=True))
    for address in (
        pages.address(ada),
        "/admin/billing/remark/",
        pages.address(Remark.objects.get()),
    ):
        words = pages.text(staff.get(address))
        assert name in words.replace(f"{name} View site", "")
        assert "staff:" not in words


def test_the_page_has_everything_and_each_list_opens(
    staff: Client, account: Account, clock: Clock
) -> None:
    clock.work()
    ada = Customer.objects.get(email="ada@example.com")
    pages.press(staff, ada, "remark", text="Prefers <b>calls</b> at noon.")
    html = staff.get(pages.address(ada)).content.decode()
    assert pages.blocked(html) == []
    assert "Prefers &lt;b&gt;calls&lt;/b&gt; at noon." in html
    assert Remark.objects.get().actor.startswith("staff:")
    invoice = Invoice.objects.get(customer=ada)
    for words in (str(invoice.number), account.username, "Create account", "€128.00"):
        assert words in html
    parts = [part.split("</section>")[0] for part in html.split('aria-labelledby="part-')[1:]]
    assert len(parts) == 10
    for part in parts:
        if part.startswith("tickets"):
            continue
        address = part.split('href="')[1].split('"')[0].replace("&amp;", "&")
        response = staff.get(address)
        assert response.status_code == 200, address
        listed = response.context.get("cl")
        assert listed is None or listed.result_count > 0, address
    jobs = next(part for part in parts if part.startswith("jobs"))
    assert jobs.count("<tr>") == 1 + Job.objects.count()


def test_a_country_and_a_language_are_chosen_by_name(staff: Client, account: Account) -> None:
    customer = Customer.objects.get(email="ada@example.com")
    html = staff.get(pages.address(customer)).content.decode()
    assert '<option value="DE" selected>Germany</option>' in html
    assert '<option value="de">German</option>' in html
    assert '<select name="language"' in html


def test_the_page_shows_only_what_the_role_may_see(staff: Client, account: Account) -> None:
    helper = Client()
    fields = {"is_staff": True, "role": "support"}
    helper.force_login(User.objects.create_user("helper@example.com", "x" * 20, **fields))
    ada = Customer.objects.get(email="ada@example.com")
    assert helper.get(pages.address(ada)).content.decode().count("part-services") == 2
    nobody = Client()
    nobody.force_login(User.objects.create_user("none@example.com", "x" * 20, is_staff=True))
    assert nobody.get(reverse("admin:sheet_search")).status_code == 403
    assert nobody.get(pages.address(ada)).status_code == 403
