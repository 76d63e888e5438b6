"""The package designer: from a pattern to what is on sale, and what is missing said with what to
do.
"""

from __future__ import annotations

import re
from typing import Any

from django.contrib.admin.models import LogEntry
from django.test import Client
from django.urls import reverse

from packages import drafts
from packages.models import Package, Price, Tariff
from packages.patterns import PATTERNS, pattern
from packages.states import StateChange
from provisioning import servers
from provisioning.models import Server
from provisioning.simulator.simulator import Simulator
from tests.desk import pages

ADD = "/admin/packages/package/add/"


def begun(staff: Client, source: str) -> Package:
    """Begin as staff do, and return the draft they are led to."""
    response = staff.post(ADD, {"source": source})
    package = Package.objects.get(draft=True)
    assert response.headers["Location"] == pages.address(package)
    return package


def filled(staff: Client, package: Package, **changes: Any) -> dict[str, Any]:
    """What the page's form sends as it stands, with these changes."""
    form = staff.get(pages.address(package)).context["adminform"].form
    sent = {name: form[name].value() for name in form.fields}
    sent = {**sent, **changes}
    return {name: value for name, value in sent.items() if value is not None and value is not False}


def save(staff: Client, package: Package, **changes: Any) -> Any:
    return staff.post(pages.address(package), filled(staff, package, **changes), follow=True)


def test_a_draft_from_a_pattern_is_priced_previewed_and_published(
    staff: Client, shop: Simulator
) -> None:
    draft = begun(staff, "business")
    shop_page = reverse("storefront:package", args=[draft.slug])
    assert (draft.slug, Client().get(shop_page).status_code) == ("business-2", 404)
    assert "choose one, or make a new one" in pages.text(staff.get(pages.address(draft)))
    told = save(staff, draft, name_en="Voice 30", amount_monthly_EUR="39.90", amount_yearly_USD="",
                setup_yearly_USD="", credit_yearly_USD="", new_tariff="Night", new_plan="night-1",
                _publish="1")  # fmt: skip
    assert "Everybody sees the package in the shop at once" in pages.text(told)
    assert "€39.90 monthly, set-up €49.00, credit €20.00" in pages.text(told)
    preview = staff.get(reverse("admin:packages_package_preview", args=[draft.pk]))
    assert pages.blocked(preview.content.decode()) == []
    html = preview.content.decode()
    assert re.findall(r'<div lang="(\w\w)">', html) == ["en", "en", "de", "de"]
    assert all(each in html for each in ("39,90\xa0€", "$79.00", "disabled"))
    assert "is on sale" in pages.text(pages.press(staff, draft, "publish"))
    assert "€39.90" in pages.text(Client().get(shop_page))
    draft.refresh_from_db()
    assert (draft.tariff, draft.visible) == (Tariff.objects.get(remote_id="night-1"), True)
    assert draft.prices.get(cycle="yearly", currency="USD").archived
    said = " ".join(each.get_change_message() for each in LogEntry.objects.all())
    assert "Monthly, EUR: price" in said
    assert "is on sale" in said


def test_each_price_that_staff_change_is_in_the_log_with_what_it_was(
    staff: Client, shop: Simulator
) -> None:
    package = Package.objects.get(slug="business")
    save(staff, package, amount_monthly_EUR="84.90", setup_monthly_EUR="", amount_yearly_USD="",
         setup_yearly_USD="", credit_yearly_USD="", amount_half_yearly_EUR="440")  # fmt: skip
    save(staff, package)
    found = StateChange.objects.filter(subject="package", subject_id=package.pk)
    assert {each.after for each in found} == {"priced"}
    assert {each.actor[:6] for each in found} == {"staff:"}
    assert sorted(each.reason for each in found) == [
        "EUR half_yearly: price – → 440.00, set-up fee – → 0.00, credit – → 0.00",
        "EUR monthly: price 79.00 → 84.90, set-up fee 49.00 → 0.00",
        "USD yearly: price 790.00 → –, set-up fee 0.00 → –, credit 240.00 → –",
    ]
    log = pages.text(staff.get("/admin/packages/statechange/?subject=package"))
    assert "EUR monthly: price 79.00 → 84.90" in log


def test_what_is_incomplete_stays_a_draft_and_says_what_it_lacks(
    staff: Client, shop: Simulator
) -> None:
    draft = begun(staff, "starter")
    told = save(staff, draft, channels="0", services=[], _publish="1",
                **{f"amount_{cycle}_{code}": "" for cycle in ("monthly", "yearly")
                   for code in ("EUR", "USD")},
                **{f"credit_{cycle}_{code}": "" for cycle in ("monthly", "yearly")
                   for code in ("EUR", "USD")})  # fmt: skip
    words = pages.text(told)
    assert "It is saved, but cannot be published yet." in words
    for sentence in ("needs channels to call", "Tick what the account may send", "has no price"):
        assert sentence in words
    assert pages.offered(staff, draft) == []
    pages.submit(staff, draft, "publish", {})
    draft.refresh_from_db()
    assert (draft.draft, draft.visible) == (True, False)


REFUSED: list[tuple[str, dict[str, Any], str]] = [
    ("starter", {"tariff": ""}, "An account is rated by a tariff: choose one."),
    ("starter", {"channels": "0"}, "An account needs channels to call: enter 1 or more."),
    ("starter", {"services": []}, "Tick what the account may send"),
    ("starter", {"setup_quarterly_EUR": "1", "amount_quarterly_EUR": ""}, "Enter the price"),
    ("starter", {"amount_monthly_EUR": "1.999"}, "no more than 2 decimal places"),
    ("starter", {"amount_monthly_EUR": "-1"}, "greater than or equal to 0"),
    ("starter", {"new_tariff": "Night"}, "both its name and its plan id"),
    ("starter", {"new_tariff": "Standard", "new_plan": "x"}, "choose it above"),
    ("credit-25", {"credit_one_time_EUR": ""}, "A top-up sells credit: enter how much."),
    ("credit-25", {"amount_one_time_EUR": "", "credit_one_time_EUR": "",
                   "amount_one_time_USD": "", "credit_one_time_USD": ""}, "or hide it"),
]  # fmt: skip


def test_what_cannot_be_sold_is_refused_with_what_to_do(staff: Client, shop: Simulator) -> None:
    before = list(Price.objects.order_by("pk").values())
    for slug, changes, told in REFUSED:
        package = Package.objects.get(slug=slug)
        assert told in pages.text(save(staff, package, **changes)), changes
    assert list(Price.objects.order_by("pk").values()) == before


def test_a_copy_has_the_prices_and_limits_but_is_a_draft(staff: Client, shop: Simulator) -> None:
    package = Package.objects.get(slug="business")
    asked = staff.get(f"{ADD}?from={package.pk}").content.decode()
    assert f'value="{package.pk}" checked' in asked
    twin = begun(staff, str(package.pk))
    assert (twin.name_en, twin.slug, twin.channels) == ("Business (copy)", "business-2", 20)
    assert twin.prices.count() == package.prices.count()
    assert list(twin.exchange_targets.all()) == list(package.exchange_targets.all())
    assert staff.post(ADD, {"source": "nonsense"}).status_code == 200
    assert staff.post(ADD, {"source": "0"}).status_code == 200
    assert Package.objects.filter(draft=True).count() == 1


def test_a_group_goes_only_when_no_package_stands_in_it(staff: Client, shop: Simulator) -> None:
    group = Package.objects.exclude(group=None)[0].group
    address = pages.address(group, "delete")
    assert address not in staff.get(pages.address(group)).content.decode()
    assert staff.get(address).status_code == 403
    empty = type(group).objects.create(slug="empty", name_en="Empty")
    assert pages.address(empty, "delete") in staff.get(pages.address(empty)).content.decode()


def test_whoever_deletes_a_package_sees_its_prices(staff: Client, shop: Simulator) -> None:
    draft = begun(staff, str(Package.objects.get(slug="starter").pk))
    html = staff.get(pages.address(draft, "delete")).content.decode()
    assert "€29.00 monthly" in html.replace("\xa0", " ")


def test_every_pattern_lacks_at_most_its_tariff(shop: Simulator) -> None:
    for each in PATTERNS:
        lacks = drafts.missing(drafts.begin(pattern(each.code), ["EUR", "JPY"]))
        assert len(lacks) == (each.kind != Package.Kind.TOP_UP), each.code
    assert Price.objects.get(package__slug="credit", currency="JPY").amount_minor == 25


def test_roles_are_offered_from_what_the_diallers_named(staff: Client, shop: Simulator) -> None:
    package = Package.objects.get(slug="starter")
    assert 'name="role" maxlength="64"' in staff.get(pages.address(package)).content.decode()
    pages.press(staff, Server.objects.first(), "test")  # type: ignore[arg-type]
    role, name = Server.objects.first().roles[0]  # type: ignore[union-attr]
    page = staff.get(pages.address(package)).content.decode()
    assert f'<option value="{role}">{name} ({role})</option>' in page


def test_the_administrators_role_is_sold_only_to_whom_staff_trust_in_words(
    staff: Client, shop: Simulator
) -> None:
    package = Package.objects.get(slug="starter")
    pages.press(staff, Server.objects.first(), "test")  # type: ignore[arg-type]
    role = next(key for key, name in servers.roles_known().items() if name == "Administrator")
    warning = "With the role “Administrator” each buyer can see and change every customer's account"
    told = save(staff, package, role=role)
    assert warning in pages.text(told)
    assert 'type="checkbox" name="trusts_role"' in told.content.decode()
    package.refresh_from_db()
    assert package.role == ""
    told = save(staff, package, role=role, trusts_role="on")
    package.refresh_from_db()
    assert package.role == role
    # It stays a warning, and asks no second time.
    assert warning in pages.text(told)
    assert warning not in pages.text(save(staff, package, role="3"))
