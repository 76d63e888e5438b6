"""Price campaigns: several prices chosen, previewed together, made once, and told as others are."""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import Any

import pytest
from django.test import Client

from billing import days, invariants, price_campaigns, price_changes
from billing.models import Mail, PriceCampaign, PriceChange, PriceNotice
from packages.models import Cycle, PackageGroup
from provisioning.models import Account
from tests import world
from tests.clock import Clock
from tests.desk import pages
from tests.desk.orders import ordered
from tests.second_factor import person

ADD = "/admin/billing/pricecampaign/add/"
ON = date(2026, 3, 2)
WRITE = "is not mailed again: write to them."
DAY = {"name": "Spring", "effective_on": "2026-03-10", "existing": "on"}


def begun(staff: Client, **more: Any) -> PriceCampaign:
    group = PackageGroup.objects.get(slug="broadcast")
    chosen = {"groups": [group.pk], "percent": "5", **more}
    assert staff.post(ADD, {**DAY, **chosen}).status_code == 302
    return PriceCampaign.objects.get()


def saved(staff: Client, campaign: PriceCampaign, **changes: Any) -> Any:
    """Send the page's form with its prices as they stand, but for these changes."""
    context = staff.get(pages.address(campaign)).context
    sent: dict[str, Any] = dict(DAY)
    (inline,) = context["inline_admin_formsets"]
    for form in (inline.formset.management_form, *inline.formset.forms):
        sent |= {field.html_name: field.value() for field in form if field.value() is not None}
    return staff.post(pages.address(campaign), {**sent, **changes}, follow=True)


def place(campaign: PriceCampaign, slug: str) -> str:
    """The name of a price's line in the form, by its place."""
    prices = [(each.price.package.slug, each.price.cycle, each.price.currency)
              for each in campaign.prices.select_related("price__package")]  # fmt: skip
    return f"prices-{prices.index((slug, 'monthly', 'EUR'))}"


def test_a_campaign_is_chosen_changed_previewed_and_made_once(
    staff: Client, account: Account, clock: Clock
) -> None:
    ordered("starter", email="bert@example.com", at=clock.now())
    campaign = begun(staff)
    assert {each.price.package.group.slug for each in campaign.prices.all()} == {"broadcast"}
    line = place(campaign, "starter")
    both = saved(staff, campaign, **{f"{line}-step": "3"})
    assert "Enter a percentage or an amount, not both." in pages.text(both)
    less = saved(staff, campaign, **{f"{line}-percent": "", f"{line}-step": "-500"})
    assert "The price would fall below zero." in pages.text(less)
    saved(staff, campaign, **{f"{line}-percent": "", f"{line}-step": "3.50"})
    count = campaign.prices.count()
    withdrawn = pages.opened(staff, campaign, "withdraw")
    assert f">{count}<" in re.sub(r"\s", "", withdrawn)
    assert WRITE not in withdrawn
    told = pages.opened(staff, campaign, "confirm")
    assert pages.blocked(told) == []
    starter, business = world.price("starter").amount_minor, world.price("business").amount_minor
    after = starter + 3_50, (business * 105 + 50) // 100
    for text in (
        f"€{starter / 100:.2f} → €{after[0] / 100:.2f}, 1 service",
        f"€{business / 100:.2f} → €{after[1] / 100:.2f}, 1 service",
        f"€{(sum(after) - starter - business) / 100:.2f}",
    ):
        assert text in told, text
    assert not PriceChange.objects.exists()
    pages.press(staff, campaign, "confirm")
    pages.submit(staff, campaign, "confirm", {})
    assert PriceChange.objects.filter(state="confirmed").count() == campaign.prices.count()
    with pytest.raises(price_changes.NotPossible):
        price_campaigns.confirm(campaign, on=ON, at=clock.now(), actor="staff:1")
    days.run(ON, at=clock.now(), most=None)
    days.run(ON + timedelta(days=1), at=clock.now(), most=None)
    assert Mail.objects.filter(template="price_changed").count() == 2
    assert {each.days for each in PriceNotice.objects.all()} == {42}
    assert pages.offered(staff, campaign) == ["withdraw"]
    assert f"€{after[1] / 100:.2f}" in pages.text(staff.get(pages.address(campaign)))
    assert WRITE in pages.opened(staff, campaign, "withdraw")
    assert "is withdrawn" in pages.text(pages.press(staff, campaign, "withdraw"))
    assert set(PriceChange.objects.values_list("state", flat=True)) == {"withdrawn"}
    assert invariants.violations() == []


def test_a_month_of_yearly_prices_is_a_twelfth_and_notice_is_never_shorter(
    staff: Client, account: Account, clock: Clock
) -> None:
    campaign = begun(staff, notice_days="90", percent="-10")
    changes = price_campaigns.changes_of(campaign)
    assert (changes[0].days(42), changes[0].days(100)) == (90, 100)
    found = price_campaigns.concerned(changes, world.brand(), on=ON)
    (one,) = (each for _change, some in found for each in some)
    assert str(one.starts_on) == "2026-06-02"
    one.subscription.cycle = Cycle.YEARLY
    (sums,) = price_campaigns.monthly([one])
    assert (sums.before.minor, sums.after.minor) == (6_58, 5_93)
    assert sums.difference.minor == -65


def test_support_looks_and_billing_changes(staff: Client, account: Account) -> None:
    campaign = begun(staff)
    for role, status in (("support", 403), ("billing", 200)):
        client = Client()
        client.force_login(person(role, f"{role}@shop.test"))
        assert client.get(ADD).status_code == status
        page = client.get(pages.address(campaign)).content.decode()
        assert ("prices-0-percent" in page) == (role == "billing")
