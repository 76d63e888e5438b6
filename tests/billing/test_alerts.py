"""Alerts: told once, again after a day, and when it is over, without broker and outbox."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from billing import alert_posts, alerts
from billing.gateways import signatures
from billing.gateways.base import BadWebhook
from billing.models import Alert, AlertMessage, AlertSettings, GatewayEvent, Mail
from config import celery, ticker, watcher
from provisioning import vault
from provisioning.models import Drift, Heartbeat, Job, Server
from provisioning.simulator.simulator import Simulator
from tests.billing import smtp
from tests.clock import Clock
from tests.desk.events import parked_event
from tests.provisioning.conftest import ordered

SECRET = "a-secret-of-the-operator"


class Receiver(ThreadingHTTPServer):
    """The operator's webhook: keeps what arrives, answers what it is told to."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.arrived: list[tuple[bytes, str]] = []
        self.status = 204

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/alerts"

    @property
    def news(self) -> list[tuple[str, str]]:
        bodies = [json.loads(body) for body, _ in self.arrived]
        return [(body["news"], body["alert"]["cause"]) for body in bodies]


class _Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.arrived.append((body, self.headers["Castfront-Signature"]))
        self.send_response(self.server.status)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def told(shop: Simulator, receiver: Receiver) -> Receiver:
    """A shop whose operator is told by webhook as well as by mail."""
    sealed = vault.seal(SECRET, purpose=alert_posts.SECRET)
    AlertSettings.objects.create(
        pk=1, emails="ops@example.com, duty@example.com", url=receiver.url, secret_sealed=sealed
    )
    return receiver


@contextmanager
def mail_server(settings: Settings, **answers: str) -> Iterator[smtp.Server]:
    with smtp.serving(**answers) as server:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.port
        yield server


def look(clock: Clock, **expected: timedelta) -> None:
    """What a watcher does each minute."""
    alerts.watch(expected, since=clock.now() - timedelta(days=9), at=clock.now(), now=clock.now())
    alert_posts.send_waiting(at=clock.now(), now=clock.now())


def test_a_parked_job_is_told_once_again_after_a_day_and_when_it_is_over(
    told: Receiver, shop: Simulator, clock: Clock, settings: Settings
) -> None:
    ordered("business", at=clock.now())
    shop.faults.add("Client_Payment_Create", times=1, answer="refused", apply="no")
    clock.work()
    cause = f"parked-jobs-{Server.objects.get(currency='EUR').pk}"
    with mail_server(settings) as server:
        for _ in range(3):
            look(clock)
            clock.shift(minutes=1)
        assert told.news == [("raised", cause)]
        clock.shift(days=1)
        look(clock)
        assert told.news == [("raised", cause), ("repeated", cause)]
        job = Job.objects.get(state=Job.State.PARKED)
        job.move(Job.State.CANCELLED, at=clock.now(), actor="staff:1", reason="x")
        clock.shift(minutes=1)
        look(clock)
        clock.shift(days=2)
        look(clock)
    assert [news for news, about in told.news if about == cause] == [
        "raised",
        "repeated",
        "resolved",
    ]
    mails = [mail for mail in server.mails if "job on" in mail["Subject"]]
    assert [mail["Subject"] for mail in mails] == [
        "[Nordcast] raised: 1 job on Dialler EU needs staff",
        "[Nordcast] still so: 1 job on Dialler EU needs staff",
        "[Nordcast] resolved: 1 job on Dialler EU needs staff",
    ]
    assert mails[0]["To"] == "ops@example.com, duty@example.com"
    assert "/admin/provisioning/job/?state__exact=parked" in mails[0].get_content()
    assert Alert.objects.get(cause=cause).resolved_at is not None
    # None of it went through the shop's own outbox.
    assert not Mail.objects.filter(subject__contains="Dialler EU").exists()


def test_the_webhook_is_signed_with_its_time(told: Receiver, clock: Clock) -> None:
    call_command("test_alert")
    ((body, signature),) = told.arrived
    secrets = signatures.usable([SECRET])
    signatures.verify(body, signature, secrets=secrets, at=clock.now())
    with pytest.raises(BadWebhook, match="forged"):
        signatures.verify(body + b" ", signature, secrets=secrets, at=clock.now())
    late = clock.now() + timedelta(minutes=6)
    with pytest.raises(BadWebhook, match="stale"):
        signatures.verify(body, signature, secrets=secrets, at=late)
    assert json.loads(body)["alert"]["title"] == "This is a test. Alerts arrive here."


def test_what_could_not_be_sent_is_tried_again_by_each_channel_for_itself(
    told: Receiver, clock: Clock, settings: Settings
) -> None:
    told.status = 500
    with mail_server(settings, CONNECT="") as server, pytest.raises(CommandError):
        call_command("test_alert")
    states = {each.channel: (each.state, each.error) for each in AlertMessage.objects.all()}
    assert states["webhook"] == ("waiting", "answered 500")
    assert states["mail"][0] == "waiting"
    told.status = 200
    with mail_server(settings) as server:
        alert_posts.send_waiting(at=clock.now(), now=clock.now())
        assert server.mails == []
        clock.shift(minutes=2)
        alert_posts.send_waiting(at=clock.now(), now=clock.now())
        alert_posts.send_waiting(at=clock.now(), now=clock.now())
    assert len(server.mails) == 1
    assert len(told.arrived) == 2
    assert {each.state for each in AlertMessage.objects.all()} == {"sent"}


def test_a_dialler_that_fails_one_test_is_no_alert_and_one_that_stays_away_is(
    told: Receiver, clock: Clock
) -> None:
    server = Server.objects.get(currency="EUR")
    cause = f"server-{server.pk}"
    Server.objects.filter(pk=server.pk).update(checked_at=clock.now(), check_note="NotSent")
    look(clock)
    Server.objects.filter(pk=server.pk).update(check_note="works, 5 roles")
    clock.shift(minutes=1)
    look(clock)
    assert told.news == []
    Server.objects.filter(pk=server.pk).update(check_note="NotSent")
    for _ in range(4):
        clock.shift(minutes=1)
        look(clock)
    assert told.news == [("raised", cause)]


def test_signs_of_life_drift_old_jobs_events_and_invariants_are_alerts(
    told: Receiver, shop: Simulator, clock: Clock
) -> None:
    account = ordered("business", at=clock.now())
    clock.shift(minutes=6)
    Heartbeat.objects.create(process="sweep_jobs", at=clock.now() - timedelta(minutes=6))
    Heartbeat.objects.create(process="worker", at=clock.now())
    drift = Drift.objects.create(
        account=account, diffs=[], found_at=clock.now(), seen_at=clock.now()
    )
    event = parked_event("", at=clock.now())
    look(clock, sweep_jobs=timedelta(minutes=5), worker=timedelta(minutes=1))
    # A drift without its history violates STA-2.
    alerts.check_invariants(at=clock.now(), now=clock.now())
    assert alerts.check_invariants(at=clock.now(), now=clock.now()) is False
    assert {alert.cause for alert in alerts.standing()} == {
        "heartbeat-sweep_jobs",
        "oldest-job",
        f"drift-{account.server_id}",
        "gateway-events",
        "invariant-STA-2",
    }
    drift.delete()
    GatewayEvent.objects.filter(pk=event.pk).delete()
    clock.work()
    clock.shift(hours=1)
    Heartbeat.objects.update(at=clock.now() - timedelta(seconds=57))
    Heartbeat.objects.filter(process="invariants").delete()
    look(clock, sweep_jobs=timedelta(minutes=5), worker=timedelta(minutes=1))
    alerts.check_invariants(at=clock.now(), now=clock.now())
    assert alerts.standing() == []


def test_a_watcher_that_has_just_begun_misses_nobody(told: Receiver, clock: Clock) -> None:
    Heartbeat.objects.create(process="beat", at=clock.now() - timedelta(days=1))
    expected = {"beat": timedelta(minutes=2)}
    began = clock.now()
    alerts.watch(expected, since=began, at=clock.now(), now=clock.now())
    assert alerts.standing() == []
    clock.shift(minutes=3)
    alerts.watch(expected, since=began, at=clock.now(), now=clock.now())
    assert [alert.cause for alert in alerts.standing()] == ["heartbeat-beat"]


def test_every_sweep_shows_its_life_by_beat_and_without_it(shop: Simulator) -> None:
    for task in {entry["task"] for entry in celery.BEAT.values()}:
        watcher.show_life(sender=celery.app.tasks[task])
    expected = watcher.limits(celery.BEAT)
    swept = set(expected) - {"worker", "dialler-worker", "beat"}
    assert swept <= set(Heartbeat.objects.values_list("process", flat=True))
    Heartbeat.objects.all().delete()
    ticker.sweep()
    # The gateways' statements can wait for beat.
    swept -= {"compare_gateways", "reconcile_gateways"}
    assert swept <= set(Heartbeat.objects.values_list("process", flat=True))
