"""What the shop did by itself is counted day by day, and every step leads to its row."""

from __future__ import annotations

import re
from html import unescape

from django.contrib.admin.models import LogEntry
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from billing import processes
from billing.models import Customer, Mail, User
from config.celery import BEAT
from packages.states import StateChange
from provisioning.models import Account, Heartbeat, Job
from tests.clock import Clock
from tests.desk import pages

AUTOMATION, LOG = "admin:sheet_automation", "admin:packages_statechange_changelist"


def test_each_count_leads_to_its_steps(staff: Client, account: Account, clock: Clock) -> None:
    clock.work()
    clock.live(1)
    Heartbeat.objects.create(process="worker", at=timezone.now())
    html = staff.get(reverse(AUTOMATION)).content.decode()
    assert pages.blocked(html) == []
    assert "3 March 2026" in html
    assert 'title="worker">Worker for billing and mails</th>' in html
    assert "just now" in html
    links = re.findall(r'href="([^"]+statechange[^"]+)">(\d+)</a>', html)
    counts = {re.findall(r"subject=(\w+)&amp;after=(\w+)", url)[0]: int(n) for url, n in links}
    assert counts["job", "done"] == Job.objects.filter(state="done").count()
    assert counts["mail", "sent"] == Mail.objects.filter(state="sent").count()
    for address, count in links:
        listed = staff.get(unescape(address))
        assert listed.context["cl"].result_count == int(count), address


def test_whatever_shows_life_has_a_name() -> None:
    shown = {*BEAT, *Heartbeat.WORKERS.values(), "beat", "watch", "invariants"} - {"beat_heartbeat"}
    assert processes.NAMES.keys() == shown


def test_the_audit_log_says_who_did_what(staff: Client, account: Account, clock: Clock) -> None:
    customer = Customer.objects.get(email="ada@example.com")
    pages.press(staff, customer, "see-shop", reason="asked on the phone")
    by_staff = pages.text(staff.get(reverse(LOG), {"who": "staff"}))
    assert "asked on the phone" in by_staff
    assert "staff@" in by_staff
    html = staff.get(reverse(LOG), {"subject": "invoice"}).content.decode()
    assert "/admin/billing/invoice/" in html
    assert "Subscription" not in html.split('id="result_list"')[1].split("</table>")[0]
    found = staff.get(reverse(LOG), {"q": "order paid"}).context["cl"].result_count
    assert found == StateChange.objects.filter(reason="order paid").count() > 0
    assert f"{found} entr" in pages.text(staff.get(reverse(LOG), {"q": "order paid"}))
    person = User.objects.get(is_staff=True)
    theirs = staff.get(reverse(LOG), {"q": person.email}).context["cl"].result_list
    assert {each.actor for each in theirs} == {f"staff:{person.pk}"}
    edits = staff.get(reverse("admin:admin_logentry_changelist")).content.decode()
    assert LogEntry.objects.get().object_repr in edits
    assert pages.address(customer) in edits


def test_a_step_has_the_name_of_its_row(staff: Client, account: Account) -> None:
    step = StateChange.objects.filter(subject="account").latest("pk")
    html = staff.get(f"/admin/packages/statechange/{step.pk}/change/").content.decode()
    assert f"<h1>Account {account.pk}</h1>" in html
