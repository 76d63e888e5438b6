"""From an empty database to an open shop: what is asked, kept and told on the way."""

from __future__ import annotations

from decimal import Decimal
from html import unescape

import pytest
from django.conf import settings
from django.test import Client

from billing import demo, events, legal_texts, opening, withdrawal_model
from billing.gateways import get
from billing.gateways.base import Rehearsal
from billing.legal_texts import NOTICES
from billing.models import (
    Brand,
    GatewayEvent,
    LegalText,
    Payment,
    Posting,
    TaxRate,
    TopUpTerms,
    User,
    current_brand,
)
from packages.states import StateChange
from provisioning.models import Server
from provisioning.simulator.simulator import Simulator
from tests.clock import Clock
from tests.desk import pages

SHEET = "/admin/opening/"


def test_an_empty_database_leads_an_owner_to_the_first_step(
    transactional_db: None, clock: Clock
) -> None:
    owner = Client()
    owner.force_login(User.objects.create_superuser("owner@shop.test", "x" * 20))
    assert Client().get("/").status_code == 503
    led = owner.get("/admin/")
    assert (led.status_code, led.headers["Location"]) == (302, SHEET)
    page = owner.get(f"{SHEET}?step=mail")
    assert page.context["step"] == "brand"
    assert pages.blocked(page.content.decode()) == []
    sent = {"name": "Nordlicht", "support_email": "a@shop.test", "mail_sender": "a@shop.test"}
    told = pages.text(owner.post(SHEET, {"step": "brand", "accent": "#ffee00", **sent}))
    assert "contrast of 1.2 : 1 on white; 4.5 : 1 is needed" in told
    assert not Brand.objects.exists()
    owner.post(SHEET, {"step": "brand", "accent": "#0b5c6b", **sent})
    assert owner.get("/admin/").status_code == 200
    # Taken up again where it was left.
    assert owner.get(SHEET).context["step"] == "company"
    assert "1 of 8 done" in pages.text(owner.get(SHEET))


def test_a_company_chooses_its_country_by_name(staff: Client) -> None:
    html = staff.get(SHEET, {"step": "company"}).content.decode()
    assert '<option value="DE" selected>Germany</option>' in html


def test_a_dialler_that_does_not_answer_is_kept_and_told(staff: Client, shop: Simulator) -> None:
    Server.objects.all().delete()
    sent = {"name": "Hamburg", "base_url": "http://127.0.0.1:9/rest", "currency": "EUR"}
    more = {"login_url": "http://127.0.0.1:9/", "profile": "current", "auth": "form"}
    login = {"username": "admin", "secret": "x", "step": "dialler"}
    told = pages.text(staff.post(SHEET, {**sent, **more, **login}, follow=True))
    assert "It is saved, but the server cannot be reached" in told
    open_steps = [step.code for step, done in opening.steps() if not done]
    assert [code for code in open_steps if code != "gateway"] == ["legal", "dialler", "mail"]


def test_a_gateway_out_of_reach_is_told_and_not_taken_for_tested(
    staff: Client, shop: Simulator
) -> None:
    told = pages.text(staff.post(SHEET, {"step": "gateway", "gateway": "simulated"}, follow=True))
    assert "It does not answer" in told
    assert "The webhook address cannot be reached" in told
    assert opening.tested_at(get("simulated")) is None


def test_a_signed_test_event_is_stored_ignored_and_moves_no_money(
    shop: Simulator, clock: Clock
) -> None:
    gateway = get("simulated")
    assert isinstance(gateway, Rehearsal)
    body, headers = gateway.signed_test("evt_test_1", at=clock.now())
    hook, json = "/webhooks/simulated/", "application/json"
    forged = {"Simulated-Signature": headers["Simulated-Signature"][:-1] + "x"}
    assert Client().post(hook, body, json, headers=forged).status_code == 400
    assert opening.heard_at(gateway) is None
    assert Client().post(hook, body, json, headers=headers).status_code == 200
    events.process(GatewayEvent.objects.get().pk, at=clock.now())
    event = GatewayEvent.objects.get(external_id="evt_test_1")
    assert (event.state, event.note) == (GatewayEvent.State.IGNORED, "speaks of no payment")
    assert opening.heard_at(gateway) is not None
    assert (Payment.objects.count(), Posting.objects.count()) == (0, 0)


def test_a_legal_text_counts_once_it_is_the_operators_own_in_each_language(
    staff: Client, shop: Simulator
) -> None:
    texts = LegalText.objects.all()
    texts.update(body_en="# Who we are", body_de="# Wer wir sind")
    imprint, terms = texts.get(page="imprint"), texts.get(page="terms")
    placeholder = NOTICES["de"].format(page="imprint")
    texts.filter(page="imprint").update(body_de=f"Nordlicht GmbH\n\n{placeholder}")
    terms.delete()
    assert _missing() == {"imprint": ["de"], "terms": ["en", "de"], "privacy": [], "withdrawal": []}
    page = staff.get(f"{SHEET}?step=legal").content.decode()
    assert f"/admin/billing/legaltext/{imprint.pk}/change/" in page
    assert "/admin/billing/legaltext/add/?page=terms" in page
    staff.post("/admin/billing/legaltext/add/", {"page": "terms", "body_en": "a", "body_de": "b"})
    texts.filter(page="imprint").update(body_de="Nordlicht GmbH")
    assert "legal" not in [step.code for step, done in opening.steps() if not done]


def test_the_information_on_withdrawal_begins_from_the_laws_model(
    staff: Client, shop: Simulator
) -> None:
    LegalText.objects.filter(page="withdrawal").delete()
    html = unescape(staff.get("/admin/billing/legaltext/add/?page=withdrawal").content.decode())
    brand = current_brand()
    link = f"{settings.SITE_URL}/withdrawal/"
    german, english = (legal_texts.model(code, brand) for code in ("de", "en"))
    for text, words in (
        (german, "binnen vierzehn Tagen ohne Angabe von Gründen diesen Vertrag zu widerrufen."),
        (german, f"Ihr Widerrufsrecht auch online unter {link} ausüben."),
        (german, f"An {brand.company}, {brand.street}, {brand.postcode} {brand.city}"),
        (english, f"exercise your right of withdrawal online at {link}."),
    ):
        assert words in text
        assert words in html
    # A gap that nobody filled is no text of the operator's.
    row = LegalText.objects.create(page="withdrawal", body_de=german, body_en=english)
    assert _missing()["withdrawal"] == ["en", "de"]
    row.body_de = german.replace(withdrawal_model.GAPS["de"], "Telefon 040 123456")
    row.save()
    assert _missing()["withdrawal"] == ["en"]


def test_the_demos_texts_name_their_page_in_their_language(shop: Simulator) -> None:
    row = LegalText.objects.get(page="imprint")
    assert "(Impressum)" in row.body_de
    assert "(Imprint)" in row.body_en
    assert "Muster-Widerrufsformular" in LegalText.objects.get(page="withdrawal").body_de


def _missing() -> dict[str, list[str]]:
    return {each.page: each.missing for each in legal_texts.all_pages()}


def test_limits_of_top_ups_are_offered_in_money_and_kept_in_minor_units(
    staff: Client, shop: Simulator
) -> None:
    TopUpTerms.objects.filter(currency="USD").delete()
    form = staff.get(f"{SHEET}?step=credit").context["form"]
    assert (form.instance.currency, form["new_day_minor"].value()) == ("USD", Decimal("200.00"))
    sent = dict.fromkeys(demo.TOP_UPS, "20") | {"new_days": "14", "max_minor": "19.99"}
    asked = {"step": "credit", "currency": "USD"}
    told = pages.text(staff.post(SHEET, {**asked, **sent}))
    assert "The smallest top-up is more than nothing" in told
    assert "USD" not in TopUpTerms.objects.values_list("currency", flat=True)
    staff.post(SHEET, {**asked, **sent, "max_minor": "20.01", "balance_minor": "50"})
    kept = TopUpTerms.objects.get(currency="USD")
    assert (kept.min_minor, kept.max_minor, kept.balance_minor) == (20_00, 20_01, 50_00)
    assert (kept.new_days, kept.new_day_minor) == (14, 20_00)


def test_a_shop_without_top_ups_skips_their_limits_once_and_for_all(
    staff: Client, shop: Simulator
) -> None:
    TopUpTerms.objects.all().delete()
    assert "credit" in [step.code for step, done in opening.steps() if not done]
    assert "We sell no top-ups" in pages.text(staff.get(f"{SHEET}?step=credit"))
    staff.post(SHEET, {"step": "credit", "skip": "1"})
    staff.post(SHEET, {"step": "credit", "skip": "1"})
    staff.post(SHEET, {"step": "mail", "skip": "1"})
    assert opening.was_skipped() == {"credit"}
    assert StateChange.objects.get(after=opening.SKIPPED).actor.startswith("staff:")
    assert "mail" in [step.code for step, done in opening.steps() if not done]
    assert "credit" not in [step.code for step, done in opening.steps() if not done]
    assert "We sell no top-ups" not in pages.text(staff.get(f"{SHEET}?step=credit"))
    assert not TopUpTerms.objects.exists()


def test_the_rates_of_the_member_states_come_once_and_staffs_own_stay(seeded_rates: None) -> None:
    TaxRate.objects.filter(country="DE").update(rate_bp=1)
    before = TaxRate.objects.count()
    opening.load_rates()
    assert TaxRate.objects.count() == before == len(demo.RATES)
    assert set(TaxRate.objects.filter(country="DE").values_list("rate_bp", flat=True)) == {1}


@pytest.fixture
def seeded_rates(db: None) -> None:
    opening.load_rates()
