"""One's own data: copied whole and without secrets, handed out once; deletions wait for staff."""

from __future__ import annotations

import io
import json
import zipfile
from datetime import datetime, timedelta

from django.http import HttpResponse
from django.urls import reverse

from billing import data_requests, emails
from billing.models import DataExport, DeletionRequest, Mail, Membership, User
from tests.billing import saved
from tests.desk import pages
from tests.storefront.account.people import Person


def post(person: Person, **form: str) -> str:
    url = reverse("storefront:data")
    return person.browser().post(url, form, follow=True).content.decode()


def download(person: Person) -> HttpResponse:
    answer = person.browser().post(reverse("storefront:data_download"))
    assert isinstance(answer, HttpResponse)
    return answer


def test_a_copy_is_made_once_mailed_and_handed_out_once(
    anna: Person, bert: Person, now: datetime
) -> None:
    saved.kept(anna.customer, at=now)
    for _twice in range(2):
        assert "It is being made" in post(anna, deed="export")
    export = DataExport.objects.get()
    data_requests.make(export.pk, at=now + timedelta(minutes=1))
    data_requests.make(export.pk, at=now + timedelta(minutes=1))
    mail = Mail.objects.get(template="data_ready")
    assert mail.recipient == anna.user.email
    assert download(bert).status_code == 302, "nothing of hers for him"
    answer = download(anna)
    assert answer["Content-Type"] == "application/zip"
    archive = zipfile.ZipFile(io.BytesIO(answer.content))
    names = set(archive.namelist())
    assert {"customer.json", "mails.json", f"invoices/{anna.invoice.number}.pdf"} <= names
    assert archive.read(f"invoices/{anna.invoice.number}.pdf").startswith(b"%PDF-")
    everything = b"".join(archive.read(name) for name in names if name.endswith(".json")).decode()
    assert anna.customer.street in everything
    assert bert.customer.email not in everything
    for secret in (anna.user.password, "pm_1", "token", 'sealed"', "digest"):
        assert secret not in everything, secret
    (invoice,) = json.loads(archive.read("invoices.json"))
    assert invoice["number"] == anna.invoice.number
    assert download(anna).status_code == 302, "it is gone"
    export.refresh_from_db()
    assert (export.state, bytes(export.content)) == (DataExport.State.TAKEN, b"")


def test_a_copy_that_nobody_takes_expires(anna: Person, now: datetime) -> None:
    post(anna, deed="export")
    export = DataExport.objects.get()
    assert data_requests.sweep(at=now + timedelta(minutes=1)) == [export.pk]
    data_requests.make(export.pk, at=now + timedelta(minutes=1))
    assert data_requests.sweep(at=now + timedelta(days=8)) == []
    export.refresh_from_db()
    assert (export.state, bytes(export.content)) == (DataExport.State.EXPIRED, b"")


def test_a_deletion_waits_for_staff_who_note_what_they_did(anna: Person) -> None:
    assert "Please tick the box" in post(anna, deed="delete")
    assert not DeletionRequest.objects.exists()
    for _twice in range(2):
        assert "Asked for" in post(anna, deed="delete", sure="yes")
    row = DeletionRequest.objects.get()
    told = Mail.objects.filter(template__startswith="deletion").order_by("pk")
    received, waits = told
    assert "eight years" in received.text
    assert (received.recipient, waits.customer) == (anna.customer.email, None)
    desk = anna.browser()
    desk.force_login(User.objects.create_superuser("staff@shop.test", "correct-horse-battery"))
    pages.press(desk, row, "carried-out", proof="Deleted all but the invoices.")
    row.refresh_from_db()
    assert row.state == DeletionRequest.State.DONE
    assert emails.SEALED not in received.text


def test_only_who_manages_the_customer_gets_its_data(anna: Person) -> None:
    Membership.objects.filter(user=anna.user).update(role="colleague", may_pay=True, may_ask=True)
    for name in ("data", "data_download"):
        url = reverse(f"storefront:{name}")
        assert anna.browser().post(url, {"deed": "export"}).status_code == 403
    assert not DataExport.objects.exists()
