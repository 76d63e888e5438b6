"""Surveys at the desk: begun by staff, made by a worker, applied by staff; and the preview."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse

from packages.models import Tariff
from provisioning import surveys, vault
from provisioning.models import Server, Survey
from provisioning.simulator.simulator import Simulator
from tests.clock import Clock
from tests.desk import pages


@pytest.fixture
def server(shop: Simulator) -> Server:
    """A dialler that calls two fields otherwise, behind a mapping that knows nothing of it."""
    shop.switch(renamed_fields="channels=max_channels,credit=wallet.amount")
    server = Server.objects.get(name="Dialler EU")
    Server.objects.filter(pk=server.pk).update(mapping={})
    server.refresh_from_db()
    return server


def begun(staff: Client, server: Server) -> Survey:
    said = pages.press(staff, server, "survey", tariff=str(Tariff.objects.all()[0].pk))
    assert "The survey has begun" in pages.text(said)
    return Survey.objects.get()


def test_a_survey_finds_the_names_and_staff_take_them(
    staff: Client, server: Server, shop: Simulator, clock: Clock
) -> None:
    survey = begun(staff, server)
    assert "survey" not in pages.offered(staff, server)
    password = vault.unseal(survey.password_sealed or b"", purpose=surveys.purpose(survey))
    clock.work()
    survey.refresh_from_db()
    assert (survey.state, survey.reason, survey.password_sealed) == ("done", "", None)
    assert shop.accounts() == []
    shown = staff.get(pages.address(survey)).content.decode()
    assert password not in shown
    assert "max_channels" in shown
    server.refresh_from_db()
    assert server.mapping == {}
    pages.press(staff, survey, "apply")
    server.refresh_from_db()
    fields = server.mapping["fields"]
    assert (fields["channels"], fields["balance"]) == ("max_channels", "wallet.amount")
    assert server.mapping["capabilities"]["credit"] == "api"
    assert "apply" not in pages.offered(staff, survey)
    assert survey.transcript.filter(step="credit", outcome="yes").exists()


def test_what_somebody_changed_since_is_not_overwritten(
    staff: Client, server: Server, clock: Clock
) -> None:
    survey = begun(staff, server)
    clock.work()
    Server.objects.filter(pk=server.pk).update(mapping={"role": "9"})
    said = pages.press(staff, survey, "apply")
    assert "The mapping was changed since the survey began." in pages.text(said)
    server.refresh_from_db()
    assert server.mapping == {"role": "9"}


def test_an_account_that_stays_behind_is_told_until_it_is_gone(
    staff: Client, server: Server, shop: Simulator, clock: Clock
) -> None:
    shop.switch(missing_methods="Client_Delete,User_Delete")
    survey = begun(staff, server)
    clock.work()
    survey.refresh_from_db()
    assert survey.state == Survey.State.LEFT
    assert [each["username"] for each in shop.accounts()] == [survey.username]
    shop.switch(missing_methods="")
    pages.press(staff, survey, "clean-up")
    clock.work()
    survey.refresh_from_db()
    assert survey.state == Survey.State.DONE
    assert shop.accounts() == []


def test_a_worker_that_died_is_followed_by_another_and_writes_no_more(
    staff: Client, server: Server, shop: Simulator, clock: Clock
) -> None:
    survey = begun(staff, server)
    dead = surveys._claim(survey.pk, at=clock.now(), worker="worker:dead")
    assert dead is not None
    assert surveys._claim(survey.pk, at=clock.now(), worker="worker:2") is None
    clock.shift(seconds=(surveys.LEASE + timedelta(seconds=1)).total_seconds())
    clock.work()
    survey.refresh_from_db()
    assert (survey.state, survey.tries) == (Survey.State.DONE, 2)
    with pytest.raises(surveys.Fenced), surveys.held(survey.pk, fence=dead.fence):
        pass
    assert shop.accounts() == []


def test_a_dialler_that_is_down_puts_the_survey_off(
    staff: Client, server: Server, shop: Simulator, clock: Clock
) -> None:
    survey = begun(staff, server)
    shop.stop()
    clock.work()
    survey.refresh_from_db()
    assert survey.state == Survey.State.WAITING
    shop.start_again()
    clock.advance(seconds=31)
    survey.refresh_from_db()
    assert survey.state == Survey.State.DONE


def test_the_exact_requests_of_a_mapping_are_shown_and_none_is_sent(
    staff: Client, server: Server, shop: Simulator
) -> None:
    before = len(shop.log()["requests"])
    address = reverse("admin:provisioning_server_requests", args=[server.pk])
    assert "Client_Create" in pages.text(staff.get(address))
    typed = '{"methods": {"create": "Tenant_Create"}}'
    shown = pages.text(staff.post(address, {"mapping": typed}))
    assert f"POST {server.base_url}/Tenant_Create" in shown
    assert "There is no setting colour." in pages.text(
        staff.post(address, {"mapping": '{"colour": 1}'})
    )
    assert len(shop.log()["requests"]) == before
    server.refresh_from_db()
    assert server.mapping == {}
