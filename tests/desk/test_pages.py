"""Every staff page opens, keeps our content policy, and tells who may not see it."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from billing import overview
from billing.models import Customer, GatewayEvent, Mail, User
from packages.desk import menu
from packages.desk.sheets import SHEETS
from provisioning.models import Account, Job
from tests.clock import Clock
from tests.desk import pages
from tests.desk.events import parked_event
from tests.desk.mails import left


@pytest.fixture
def busy(refused_credit: Job, clock: Clock, settings: Settings) -> Job:
    """A shop with at least one row of everything, and the pages that only a demo has."""
    settings.DEMO = True
    parked_event("", at=clock.now())
    left("account_ready", Mail.State.FAILED, at=clock.now())
    return refused_credit


def ours() -> list[tuple[type[Any], Any]]:
    return [(model, page) for model, page in admin.site._registry.items()]


def fetched(client: Client, address: str) -> str:
    response = client.get(address, follow=True)
    assert response.status_code == 200, address
    html = response.content.decode()
    assert pages.blocked(html) == [], address
    return html


def test_every_list_and_row_opens_and_has_nothing_inline(staff: Client, busy: Job) -> None:
    for label in ("packages", "provisioning", "billing"):
        answer = staff.get(reverse("admin:app_list", args=[label]))
        assert answer["Location"] == reverse("admin:index")
    for model, _ in ours():
        meta = model._meta
        name = f"admin:{meta.app_label}_{meta.model_name}"
        fetched(staff, reverse(f"{name}_changelist"))
        fetched(staff, reverse(f"{name}_changelist") + "?q=x")
        row = model._default_manager.first()
        if row is not None:
            fetched(staff, reverse(f"{name}_change", args=[row.pk]))
            fetched(staff, reverse(f"{name}_history", args=[row.pk]))


def test_every_form_for_a_new_row_opens(staff: Client, busy: Job) -> None:
    open_forms = 0
    for model, page in ours():
        meta = model._meta
        response = staff.get(reverse(f"admin:{meta.app_label}_{meta.model_name}_add"))
        request = response.wsgi_request
        expected = 200 if page.has_add_permission(request) else 403
        assert response.status_code == expected, meta.label
        open_forms += expected == 200
        assert pages.blocked(response.content.decode()) == []
    assert open_forms >= 6


def test_every_deed_that_is_offered_has_a_page_that_tells(staff: Client, busy: Job) -> None:
    told = 0
    for model, page in ours():
        for row in model._default_manager.all()[:5]:
            for deed in getattr(page, "deeds", ()):
                if deed.offered(row):
                    html = fetched(staff, pages.deed_address(row, deed.code))
                    assert "What will happen" in html
                    told += 1
    assert told >= 8


def test_every_list_and_sheet_has_one_place_in_the_menu(staff: Client, busy: Job) -> None:
    placed = [name for section in menu.SECTIONS for name in section.names]
    assert len(placed) == len(set(placed))
    lists = {model._meta.object_name for model, _page in ours()}
    assert set(placed) == lists | {each.name for each in SHEETS if each.listed}
    html = fetched(staff, reverse("admin:index"))
    links = [html.index(f'id="{section.code}-') for section in menu.SECTIONS]
    assert links == sorted(links)


def test_on_a_phone_a_value_of_a_list_has_its_columns_name(staff: Client, busy: Job) -> None:
    html = fetched(staff, reverse("admin:provisioning_job_changelist"))
    rows = html.split('id="result_list"')[1].split("<tbody>")[1].split("</tr>")[0]
    assert '<th data-label="Job" class="field-what">' in rows
    assert '<td data-label="State" class="field-status">' in rows
    assert '<td data-label="Amount" data-bare class="field-amount' in html
    # A box that chooses the row has no name.
    chosen = fetched(staff, reverse("admin:billing_invoice_changelist"))
    assert '<td class="action-checkbox">' in chosen


def test_columns_that_matter_least_are_marked_to_be_left_out(staff: Client, busy: Job) -> None:
    html = fetched(staff, reverse("admin:provisioning_job_changelist"))
    assert '<th scope="col" class="sortable column-server" data-spare>' in html
    assert html.count(" data-spare") == 1 + Job.objects.count()


def test_a_page_that_is_only_read_leaves_out_what_holds_nothing(staff: Client, busy: Job) -> None:
    event = GatewayEvent.objects.latest("pk")
    html = fetched(staff, pages.address(event))
    assert '<div class="readonly">–</div>' not in html
    assert event.external_id in html


def test_lists_with_filters_lead_to_them(staff: Client, busy: Job) -> None:
    leads = 'href="#changelist-filter"'
    assert leads in fetched(staff, reverse("admin:provisioning_job_changelist"))
    assert leads not in fetched(staff, reverse("admin:billing_timetable_changelist"))


def test_every_spare_column_is_one_of_the_list() -> None:
    for page in admin.site._registry.values():
        assert set(getattr(page, "spare", ())) <= set(page.list_display), page


def test_a_page_that_tells_is_named_without_the_dots_that_lead_to_it(
    staff: Client, account: Account
) -> None:
    customer = Customer.objects.get(email="ada@example.com")
    assert "Add a remark…" in fetched(staff, pages.address(customer))
    told = pages.opened(staff, customer, "remark")
    assert '<button type="submit" class="button">Add a remark</button>' in told
    assert "<h1>Add a remark</h1>" in told


def test_the_first_page_counts_what_waits(staff: Client, busy: Job) -> None:
    html = fetched(staff, reverse("admin:index"))
    assert "/admin/provisioning/job/?state__exact=parked" in html
    assert "Jobs that need staff" in html
    assert "Gateway events that need staff" in html
    card = html.split("Jobs that need staff")[1].split("</a>")[0]
    assert ">1<" in card


def test_every_card_leads_to_a_list(staff: Client, busy: Job, clock: Clock) -> None:
    html = staff.get(reverse("admin:index")).content.decode()
    links = [part.split('"')[1] for part in html.split("desk-card--")[1:]]
    addresses = [part.split('href="')[1].split('"')[0] for part in html.split("desk-card--")[1:]]
    assert len(links) == len(addresses) == len(overview.cards(at=clock.now()))
    for address in addresses:
        fetched(staff, address.replace("&amp;", "&"))


def test_pages_carry_the_strict_policy(staff: Client) -> None:
    policy = staff.get(reverse("admin:index")).headers["Content-Security-Policy"]
    assert "script-src 'self'" in policy
    assert "style-src 'self'" in policy
    assert "unsafe" not in policy


@pytest.mark.parametrize("page", ["admin:index", "admin:provisioning_job_changelist"])
def test_customers_and_visitors_see_no_staff_page(shop: Any, clock: Clock, page: str) -> None:
    stranger = Client()
    assert "/admin/login/" in stranger.get(reverse(page)).headers["Location"]
    stranger.force_login(User.objects.create_user("customer@example.com", "x" * 20))
    assert "/admin/login/" in stranger.get(reverse(page)).headers["Location"]


def test_staff_without_the_right_can_do_no_deed(refused_credit: Job) -> None:
    helper = Client()
    helper.force_login(User.objects.create_user("helper@example.com", "x" * 20, is_staff=True))
    assert helper.get(pages.deed_address(refused_credit, "verify")).status_code == 403
    response = helper.post(pages.deed_address(refused_credit, "verify"), {"seen": "1"})
    assert response.status_code == 403
    refused_credit.refresh_from_db()
    assert refused_credit.state == Job.State.PARKED


def test_the_customer_page_leads_to_all_that_belongs_to_them(
    staff: Client, account: Account
) -> None:
    customer = Customer.objects.get(email="ada@example.com")
    html = staff.get(pages.address(customer)).content.decode()
    for model in ("subscription", "order", "invoice", "payment", "mail"):
        assert f"/admin/billing/{model}/?customer__id__exact={customer.pk}" in html


def test_what_is_sealed_in_a_mail_is_not_shown(
    staff: Client, account: Account, clock: Clock
) -> None:
    clock.work()
    mail = Mail.objects.get(template="account_ready")
    html = staff.get(pages.address(mail)).content.decode()
    assert "[[sealed]]" in html
    assert "/login-details/" not in html
