"""Colleagues: invited by mail, each page asks for its right, and one owner always stays."""

from __future__ import annotations

import json
import re
import uuid
from datetime import datetime, timedelta

import pytest
from django.db import transaction
from django.test import Client
from django.urls import URLPattern, get_resolver, resolve, reverse

from billing import colleagues, deliveries, emails, locks, subscriptions
from billing.models import Invitation, Invoice, Mail, Membership, Subscription, Ticket, User
from provisioning import vault
from storefront import rights, urls
from tests import world
from tests.billing import saved
from tests.storefront.account import people
from tests.storefront.account.people import Person

Right = Membership.Right


def invited(anna: Person, email: str = "carl@example.com", *rights: str) -> str:
    """Invite somebody on the page, and return the link in the mail."""
    url = reverse("storefront:colleagues")
    answer = anna.browser().post(url, {"email": email, "rights": rights})
    assert answer.status_code == 302
    mail = Mail.objects.filter(template="colleague_invited").latest("pk")
    assert mail.recipient == email
    assert emails.SEALED in mail.text, "the link is in the mail that leaves alone"
    assert mail.sealed is not None
    values = json.loads(vault.unseal(bytes(mail.sealed), purpose=deliveries.PURPOSE))
    return str(values[emails.SEALED]).partition("/invitations/")[2].rstrip("/")


def colleague(anna: Person, *rights: str, email: str = "carl@example.com") -> tuple[User, Client]:
    """Somebody whom Anna has invited, and who has accepted."""
    token = invited(anna, email, *rights)
    user = User.objects.create_user(email, "correct-horse-battery", name="Carl")
    browser = Client()
    browser.force_login(user)
    url = reverse("storefront:invitation", args=[token])
    assert "invites you" in browser.get(url).content.decode()
    assert not user.memberships.exists(), "looking accepts nothing"
    assert browser.post(url).status_code == 302
    return user, browser


def role_of(user: User) -> str:
    return Membership.objects.get(user=user).role


def test_every_page_says_which_right_it_needs() -> None:
    patterns = [*urls.urlpatterns, *get_resolver("storefront.api.urls").url_patterns]
    names = {each.name for each in patterns if isinstance(each, URLPattern)}
    assert names == rights.OPEN | set(rights.TO_LOOK_AND_DO)
    assert not rights.OPEN & set(rights.TO_LOOK_AND_DO)


def test_who_may_look_looks_at_everything_and_does_nothing(anna: Person) -> None:
    _, carl = colleague(anna)
    keys = {"service": anna.subscription, "invoice": anna.invoice, "service_cancel": None}
    for name in ("dashboard", "invoices", "orders", "mails", "tickets", "profile", "colleagues"):
        assert carl.get(reverse(f"storefront:{name}")).status_code == 200, name
    for name in ("service", "invoice"):
        row = keys[name]
        assert row is not None
        assert carl.get(reverse(f"storefront:{name}", args=[row.public_id])).status_code == 200
    before = anna.subscription.state
    for name, args in (
        ("service", [anna.subscription.public_id]),
        ("service_cancel", [anna.subscription.public_id]),
        ("top_up", [anna.subscription.public_id]),
        ("pay", [anna.invoice.public_id]),
        ("profile", []),
        ("automatic", []),
        ("colleagues", []),
        ("ticket_new", []),
    ):
        url = reverse(f"storefront:{name}", args=args)
        assert carl.post(url, {"deed": "generate"}).status_code == 403, name
    anna.subscription.refresh_from_db()
    assert (anna.subscription.state, anna.subscription.ends_on) == (before, None)


@pytest.mark.parametrize("right", [None, Right.PAY, Right.ASK])
def test_nobody_is_shown_a_form_that_they_may_not_send(
    anna: Person, now: datetime, right: Membership.Right | None
) -> None:
    people.order(anna.user, anna.customer, "starter", at=now)
    saved.kept(anna.customer, at=now)
    _, carl = colleague(anna, *([right] if right else []))
    everything, shown = forms_of(anna.browser(), anna), forms_of(carl, anna)
    allowed = {name for name in everything if rights.TO_LOOK_AND_DO[name][1] in {right, Right.SEE}}
    assert shown == allowed < everything


def forms_of(client: Client, anna: Person) -> set[str]:
    """Return the names of the pages that some page of Anna's sends a form to."""
    service = reverse("storefront:service", args=[anna.subscription.public_id])
    invoice = Invoice.objects.filter(state=Invoice.State.OPEN)[0]
    pages = [reverse(f"storefront:{name}") for name in ("invoices", "methods", "profile")]
    pages += [service, reverse("storefront:invoice", args=[invoice.public_id])]
    names = set()
    for page in pages:
        text = client.get(page).content.decode()
        for form in re.findall(r"<form[^>]*method=\"post\"[^>]*>", text):
            action = re.search(r'action="([^"#]+)', form)
            names.add(str(resolve(action.group(1) if action else page).url_name))
    return names & set(rights.TO_LOOK_AND_DO)


def test_who_may_only_look_is_led_nowhere_that_refuses_them(anna: Person, now: datetime) -> None:
    invoice, _ = people.order(anna.user, anna.customer, "starter", at=now)
    _, carl = colleague(anna)

    def seen(name: str, *args: object, by: Client = carl) -> str:
        return by.get(reverse(f"storefront:{name}", args=args)).content.decode()

    pay = f"Pay invoice {invoice.number}"
    assert pay in seen("dashboard", by=anna.browser())
    assert pay not in seen("dashboard")
    assert f"Invoice {invoice.number} is open: €29.00" in seen("dashboard")
    assert invoice.order is not None
    form = f'action="{reverse("storefront:pay", args=[invoice.public_id])}"'
    assert form in seen("order", invoice.order.public_id, by=anna.browser())
    assert form not in seen("order", invoice.order.public_id)
    assert reverse("storefront:invoice", args=[invoice.public_id]) in seen(
        "order", invoice.order.public_id
    )
    refused = carl.get(reverse("storefront:data"))
    assert refused.status_code == 403
    assert "To the client area" in refused.content.decode()


def test_the_cart_of_who_may_not_order_says_so(anna: Person) -> None:
    _, carl = colleague(anna)
    carl.post(reverse("storefront:cart_add"), {"price": world.price("starter").pk})
    text = carl.get(reverse("storefront:cart")).content.decode()
    assert "You may look, not order." in text
    assert reverse("storefront:checkout") not in text


def test_when_all_has_ended_only_a_buyer_is_led_to_the_packages(
    anna: Person, now: datetime
) -> None:
    with transaction.atomic():
        row = locks.take(subscriptions=[anna.subscription.pk]).subscriptions[anna.subscription.pk]
        subscriptions.end(row, cause="test", reason="cancelled", at=now, actor="test")
    Subscription.objects.update(returnable=False)
    _, carl = colleague(anna)
    url = reverse("storefront:dashboard")
    assert "Choose a package" in anna.browser().get(url).content.decode()
    text = carl.get(url).content.decode()
    assert "All your services have ended." in text
    assert "Choose a package" not in text


@pytest.mark.parametrize(("right", "status"), [("ask", 302), ("pay", 403)])
def test_a_right_opens_its_pages_and_no_others(anna: Person, right: str, status: int) -> None:
    _, carl = colleague(anna, right)
    form = {"key": str(uuid.uuid4()), "subject": "Echo", "text": "I hear one."}
    assert carl.post(reverse("storefront:ticket_new"), form).status_code == status
    assert Ticket.objects.count() == (1 if right == "ask" else 0)
    cancelled = reverse("storefront:service_cancel", args=[anna.subscription.public_id])
    assert carl.post(cancelled).status_code == (302 if right == "pay" else 403)


def test_an_invitation_is_for_one_address_once_and_for_a_week(
    anna: Person, bert: Person, now: datetime
) -> None:
    token = invited(anna)
    url = reverse("storefront:invitation", args=[token])
    assert bert.browser().post(url).status_code == 403
    with pytest.raises(colleagues.Gone):
        colleagues.find(token, at=now + timedelta(days=8))
    again = invited(anna)
    assert bert.browser().get(url).status_code == 410, "the second one replaced it"
    row = Invitation.objects.get(state="sent")
    withdrawal = reverse("storefront:invitation_withdraw", args=[row.pk])
    assert bert.browser().post(withdrawal).status_code == 404
    anna.browser().post(withdrawal)
    gone = bert.browser().get(reverse("storefront:invitation", args=[again]))
    assert gone.status_code == 410
    assert anna.customer.memberships.count() == 1


def test_nobody_gives_what_they_lack_and_owners_are_owners_business(anna: Person) -> None:
    carl, browser = colleague(anna, "manage")
    form = {"email": "dora@example.com", "rights": ["pay"]}
    refused = browser.post(reverse("storefront:colleagues"), form)
    assert (refused.status_code, Invitation.objects.count()) == (422, 1)
    for member in Membership.objects.filter(customer=anna.customer):
        url = reverse("storefront:colleague", args=[member.pk])
        assert browser.post(url, {"owner": "on"}).status_code == 422
        assert browser.post(url, {"rights": ["manage", "pay"]}).status_code == 422
    assert (role_of(carl), role_of(anna.user)) == ("colleague", "owner")
    owner = Membership.objects.get(user=anna.user)
    removal = reverse("storefront:colleague", args=[owner.pk])
    assert browser.post(removal, {"remove": "yes"}).status_code == 422


def test_the_last_owner_stays_until_there_is_another(anna: Person) -> None:
    carl, _ = colleague(anna)
    browser, leave = anna.browser(), reverse("storefront:colleague_leave")
    browser.post(leave)
    assert role_of(anna.user) == "owner"
    member = Membership.objects.get(user=carl)
    browser.post(reverse("storefront:colleague", args=[member.pk]), {"owner": "on"})
    browser.post(leave)
    assert not anna.user.memberships.exists()
    assert browser.get(reverse("storefront:invoices")).status_code == 200
    steps = [(each.after, each.reason) for each in colleagues.history(anna.customer)]
    assert steps == [
        ("left", "anna@example.com"),
        ("owner", "carl@example.com"),
        ("see", "carl@example.com"),
    ]


def test_with_two_customers_one_is_chosen(anna: Person, bert: Person) -> None:
    token = invited(anna, "bert@example.com")
    browser = bert.browser()
    browser.post(reverse("storefront:invitation", args=[token]))
    text = browser.get(reverse("storefront:invoices")).content.decode()
    assert str(anna.invoice.number) in text
    choice = reverse("storefront:act_for")
    assert browser.post(choice, {"customer": str(bert.customer.pk)}).status_code == 302
    text = browser.get(reverse("storefront:invoices")).content.decode()
    assert str(bert.invoice.number) in text
    assert str(anna.invoice.number) not in text
    _, stranger = world.customer("eve@example.com", at=bert.customer.created_at)
    assert browser.post(choice, {"customer": str(stranger.pk)}).status_code == 404
