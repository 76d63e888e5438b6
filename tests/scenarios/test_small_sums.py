"""A sum that is smaller than Stripe takes: a clear reason, once, and no harm to the card."""

from __future__ import annotations

from billing import credit_notes
from billing.models import GatewayEvent, Invoice, Mail, Payment, PaymentMethod
from packages.money import Money
from provisioning.simulator.simulator import Simulator
from tests import stripes
from tests.billing import renewing
from tests.clock import Clock
from tests.processes import wait_until
from tests.story import Customer


def test_a_rest_below_the_minimum_is_charged_once_and_told_and_the_card_stays_good(
    site: str, shop: Simulator, clock: Clock
) -> None:
    with stripes.offered(f"{site}/webhooks/stripe/") as stripe:
        buyer = Customer(site)
        buyer.registers()
        buyer.chooses("business")
        buyer.pays(buyer.orders(gateway="stripe", keep_method="on"))
        wait_until(lambda: GatewayEvent.objects.count() >= 3, what="the webhooks")
        clock.work()
        clock.live(days=28)
        (invoice,) = renewing.renewals()
        line = invoice.lines.get()
        rest = {line.pk: invoice.due - Money(30, "EUR")}
        credit_notes.issue(invoice, rest, reason="Outage", at=clock.now(), actor="staff:1")
        clock.live(days=13)
        invoice.refresh_from_db()
        assert (invoice.state, invoice.due) == (Invoice.State.OPEN, Money(30, "EUR"))
        (failed,) = Payment.objects.filter(invoice=invoice)
        assert (failed.state, failed.failure_code) == (Payment.State.FAILED, "amount_too_small")
        method = PaymentMethod.objects.get()
        assert (method.state, method.is_default) == (PaymentMethod.State.ACTIVE, True)
        (mail,) = Mail.objects.filter(template="charge_failed")
        assert "smaller than can be paid this way" in mail.text
        assert len(stripe.charged()) == 1

        buyer.signs_in()
        page = buyer.browser.open(f"/account/invoices/{invoice.public_id}/")
        page = buyer.browser.submit(page, "gateway", {"gateway": "stripe"})
        assert "smaller than can be paid this way" in page.text
        assert not Payment.objects.filter(invoice=invoice, state__in=Payment.OPEN).exists()
