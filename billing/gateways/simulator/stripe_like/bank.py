"""What happens to money: pages are paid, methods charged, sums refunded, disputed and paid out.

Inside one transaction of the store. Each change writes the event that tells of it.
"""

import json
import random
from typing import Any

from ..events import Shaping
from . import statement
from .books import Books, Thing, shown
from .cards import DEBITED_LATER, Test, details, find, in_wallet
from .errors import Refused, declined, invalid, missing, reason
from .forms import enough, priced
from .setup import API_VERSION

PAGE_SECONDS = 24 * 3600
DISPUTE_FEE = 2000


class Bank:
    """The rules, at one instant."""

    def __init__(
        self, books: Books, *, at: float, public_url: str, settle_seconds: float, shaping: Shaping
    ) -> None:
        self.books = books
        self.store = books.store
        self.at = at
        self._public_url = public_url
        self._settle_seconds = settle_seconds
        self._shaping = shaping

    def customer(self, asked: Thing) -> Thing:
        """Make a customer."""
        about = {name: asked.get(name) for name in ("email", "name")}
        made = self._add("customer", metadata=asked.get("metadata", {}), **about)
        self.tell("customer.created", made)
        return made

    def session(self, asked: Thing) -> Thing:
        """Open a hosted page, for a payment or to keep a method."""
        customer = asked.get("customer")
        if customer and self.books.find(customer, "customer") is None:
            raise missing(customer, param="customer")
        paying = asked["mode"] == "payment"
        amount, currency = priced(asked) if paying else (None, asked.get("currency"))
        if paying and asked.get("adaptive_pricing", {}).get("enabled") != "false":
            raise invalid("This stand-in shows no other currencies.", param="adaptive_pricing")
        made = self._add(
            "checkout.session",
            mode=asked["mode"],
            status="open",
            payment_status="unpaid" if paying else "no_payment_required",
            amount_total=amount,
            currency=currency,
            customer=customer,
            client_reference_id=asked.get("client_reference_id"),
            metadata=asked.get("metadata", {}),
            success_url=asked["success_url"],
            cancel_url=asked.get("cancel_url"),
            locale=asked.get("locale"),
            expires_at=int(self.at) + PAGE_SECONDS,
            payment_intent=None,
            setup_intent=None,
            url="",
            asked=asked.get("payment_intent_data" if paying else "setup_intent_data", {}),
        )
        return self.books.save(made, url=f"{self._public_url}/c/pay/{made['id']}")

    def expire(self, session: Thing) -> Thing:
        """Close an open page; nobody can pay on it any more."""
        if session["status"] != "open":
            raise invalid("Only open Checkout Sessions can be expired.", param="session")
        self.books.save(session, status="expired", url=None)
        self.tell("checkout.session.expired", session)
        return session

    def pay_page(self, session: Thing, test: Test, *, confirmed: bool = False) -> str:
        """Be the customer on the page: `paid`, `asks` for a confirmation, or `declined`."""
        if session["status"] != "open":
            return "over"
        if session["mode"] == "setup":
            return self._keep_on_page(session, test)
        intent = self._intent_of_page(session)
        method = self._method(test, customer=None)
        if test.asks and not confirmed:
            self.books.save(intent, status="requires_action", payment_method=method["id"])
            return "asks"
        if test.code and test.kind == "card":
            self._decline(intent, test.code, method)
            return "declined"
        self.books.save(session, status="complete", url=None)
        if intent["setup_future_usage"]:
            self._attach(method, session["customer"])
        self._take(intent, method, test)
        self.tell("checkout.session.completed", self._after(session))
        return "paid"

    def reject_page(self, session: Thing) -> None:
        """Be the customer who does not confirm it with the bank."""
        intent = self._intent_of_page(session)
        method = self.books.get(intent["payment_method"])
        error = reason("card_declined") | {"code": "payment_intent_authentication_failure"}
        error.pop("decline_code")
        self._fail(intent, error, method)

    def charge(self, asked: Thing) -> Thing:
        """Confirm a PaymentIntent off session; raises a card error as Stripe does."""
        method = self.books.find(asked.get("payment_method"), "payment_method")
        if method is None or method["customer"] != asked.get("customer") or method["gone"]:
            raise Refused(
                400,
                "invalid_request_error",
                message="No such PaymentMethod",
                code="resource_missing",
                param="payment_method",
            )
        intent = self._new_intent(
            asked,
            amount=enough(int(asked["amount"]), asked["currency"]),
            currency=asked["currency"],
            customer=asked["customer"],
        )
        test = find(method["number"]) or Test(method["number"])
        code = method["later"] if method["later"] is not None else test.later
        if code:
            self._decline(intent, code, method)
            raise declined(code, intent)
        self._take(intent, method, test)
        return intent

    def refund(self, asked: Thing) -> Thing:
        """Give back, never more than was taken, and nothing of what is disputed."""
        intent = self.books.get(asked.get("payment_intent"), "payment_intent")
        charge = self.books.find(intent["latest_charge"])
        if charge is None or not charge["paid"]:
            raise invalid("Nothing was charged.", code="charge_not_refundable")
        left = charge["amount"] - charge["amount_refunded"]
        amount = int(asked.get("amount", left))
        if charge["disputed"]:
            raise invalid("Charge has been charged back.", code="charge_disputed")
        if left == 0:
            raise invalid("Charge has already been refunded.", code="charge_already_refunded")
        if not 0 < amount <= left:
            raise invalid("Refund amount is greater than what is left.", code="amount_too_large")
        made = self._add(
            "refund",
            amount=amount,
            currency=charge["currency"],
            charge=charge["id"],
            payment_intent=intent["id"],
            metadata=asked.get("metadata", {}),
            reason=asked.get("reason"),
            status="succeeded",
        )
        txn = self._book("refund", -amount, currency=charge["currency"], source=made["id"])
        self.books.save(made, balance_transaction=txn["id"])
        refunded = charge["amount_refunded"] + amount
        self.books.save(charge, amount_refunded=refunded, refunded=refunded == charge["amount"])
        self.tell("refund.created", made)
        self.tell("charge.refunded", charge)
        return made

    def fail_refund(self, refund: Thing) -> None:
        """Let the customer's bank send back what was refunded, days later."""
        charge, back = self.books.get(refund["charge"]), refund["amount"]
        self.books.save(charge, amount_refunded=charge["amount_refunded"] - back, refunded=False)
        self._book("refund_failure", back, currency=charge["currency"], source=refund["id"])
        self.books.save(refund, status="failed", failure_reason="expired_or_canceled_card")
        self.tell("refund.updated", refund)
        self.tell("refund.failed", refund)

    def dispute(self, intent: Thing, *, why: str = "fraudulent") -> Thing:
        """Let the payer's bank take a charge back, with a fee."""
        charge = self.books.get(intent["latest_charge"])
        made = self._add(
            "dispute",
            amount=charge["amount"] - charge["amount_refunded"],
            currency=charge["currency"],
            charge=charge["id"],
            payment_intent=intent["id"],
            reason=why,
            status="needs_response",
            evidence_details={"due_by": int(self.at) + 7 * 86400, "has_evidence": False},
        )
        amount, currency = -made["amount"], made["currency"]
        self._book("adjustment", amount, currency=currency, source=made["id"], fee=DISPUTE_FEE)
        self.books.save(charge, disputed=True)
        self.tell("charge.dispute.created", made)
        self.tell("charge.dispute.funds_withdrawn", made)
        return made

    def decide(self, dispute: Thing, *, won: bool) -> Thing:
        """End a dispute; one that was won brings the money back, but not the fee."""
        self.books.save(dispute, status="won" if won else "lost")
        if won:
            amount, currency = dispute["amount"], dispute["currency"]
            self._book("adjustment", amount, currency=currency, source=dispute["id"])
            self.tell("charge.dispute.funds_reinstated", dispute)
        self.tell("charge.dispute.closed", dispute)
        return dispute

    def pay_out(self, currency: str) -> Thing:
        """Send the whole balance of a currency to the operator's bank account."""
        booked = self.books.all("balance_transaction")
        amount = sum(each["net"] for each in booked if each["currency"] == currency)
        made = self._add(
            "payout", amount=amount, currency=currency, status="paid", arrival_date=int(self.at)
        )
        txn = self._book("payout", -amount, currency=currency, source=made["id"])
        self.books.save(made, balance_transaction=txn["id"])
        self.tell("payout.paid", made)
        return made

    def settle(self) -> None:
        """Let the debits whose time has come arrive or fail, and close the old pages."""
        for row in self.books.store.rows("SELECT id FROM due WHERE at <= ?", self.at):
            self.books.store.run("DELETE FROM due WHERE id = ?", row["id"])
            self._settled(self.books.get(row["id"], "payment_intent"))

    def tell(self, kind: str, about: Thing) -> None:
        """Write an event and as many deliveries as the shaping asks for."""
        event = self._add(
            "event",
            type=kind,
            api_version=API_VERSION,
            data={"object": shown(about)},
            pending_webhooks=1,
            request={"id": None, "idempotency_key": None},
        )
        self.books.store.insert("event", id=event["id"], body=json.dumps(event))
        for _ in range(1 + self._shaping.duplicates):
            spread = random.uniform(0, self._shaping.shuffle_seconds)
            due_at = self.at + self._shaping.delay_seconds + spread
            state = self._shaping.state
            self.books.store.insert("delivery", event=event["id"], state=state, due_at=due_at)

    def _add(self, kind: str, **fields: Any) -> Thing:
        return self.books.add(kind, at=self.at, **fields)

    def _intent_of_page(self, session: Thing) -> Thing:
        """The page's PaymentIntent; Stripe makes it when somebody tries to pay."""
        if session["payment_intent"]:
            return self.books.get(session["payment_intent"])
        intent = self._new_intent(
            session["asked"],
            amount=session["amount_total"],
            currency=session["currency"],
            customer=session["customer"],
        )
        self.books.save(session, payment_intent=intent["id"])
        return intent

    def _new_intent(self, asked: Thing, *, amount: int, currency: str, customer: str) -> Thing:
        return self._add(
            "payment_intent",
            amount=amount,
            amount_received=0,
            currency=currency,
            customer=customer,
            description=asked.get("description"),
            metadata=asked.get("metadata", {}),
            setup_future_usage=asked.get("setup_future_usage"),
            status="requires_payment_method",
            payment_method=None,
            latest_charge=None,
            last_payment_error=None,
        )

    def _method(self, test: Test, *, customer: str | None) -> Thing:
        """A fresh method; its number, `later` and `gone` are the stand-in's own memory."""
        about: Thing = {"last4": test.last4}
        if test.kind == "card":
            about |= {"brand": test.brand, "exp_month": 12, "exp_year": 2034}
            about |= {"wallet": in_wallet(test.wallet) if test.wallet else None}
        return self._add(
            "payment_method",
            type=test.kind,
            customer=customer,
            number=test.number,
            later=None,
            gone=False,
            **{test.kind: about},
        )

    def _keep_on_page(self, session: Thing, test: Test) -> str:
        if test.code and test.kind == "card":
            return "declined"
        method = self._method(test, customer=None)
        self._attach(method, session["customer"])
        intent = self._add(
            "setup_intent",
            status="succeeded",
            customer=session["customer"],
            payment_method=method["id"],
            latest_attempt={"payment_method_details": details(method)},
            metadata=session["asked"].get("metadata", {}),
            last_setup_error=None,
        )
        self.books.save(session, status="complete", url=None, setup_intent=intent["id"])
        self.tell("setup_intent.succeeded", intent)
        self.tell("checkout.session.completed", session)
        return "paid"

    def _take(self, intent: Thing, method: Thing, test: Test) -> None:
        """Charge: a card at once, a debit after its time."""
        charge = self._charge(intent, method, status="pending")
        self.books.save(intent, payment_method=method["id"], latest_charge=charge["id"])
        self.books.save(intent, last_payment_error=None)
        if method["type"] == "sepa_debit":
            self._book_charge(charge, "payment")
            self.books.save(intent, status="processing")
            due_at = self.at + self._settle_seconds
            self.books.store.insert("due", id=intent["id"], at=due_at)
            return self.tell("payment_intent.processing", intent)
        self._book_charge(charge, "charge" if method["type"] == "card" else "payment")
        self._arrive(intent, charge)
        if test.disputes:
            self.dispute(intent)
        return None

    def _charge(self, intent: Thing, method: Thing, *, status: str) -> Thing:
        return self._add(
            "charge",
            amount=intent["amount"],
            amount_refunded=0,
            currency=intent["currency"],
            customer=intent["customer"],
            payment_intent=intent["id"],
            payment_method=method["id"],
            payment_method_details=details(method),
            status=status,
            paid=False,
            refunded=False,
            disputed=False,
            metadata=intent["metadata"],
            balance_transaction=None,
        )

    def _arrive(self, intent: Thing, charge: Thing) -> None:
        self.books.save(charge, status="succeeded", paid=True)
        self.books.save(intent, status="succeeded", amount_received=charge["amount"])
        self.tell("charge.succeeded", charge)
        self.tell("payment_intent.succeeded", intent)

    def _settled(self, intent: Thing) -> None:
        charge = self.books.get(intent["latest_charge"])
        method = self.books.get(intent["payment_method"])
        test = find(method["number"]) or Test(method["number"])
        pages = self.books.all("checkout.session")
        page = next((each for each in pages if each["payment_intent"] == intent["id"]), None)
        code = method["later"] if method["later"] is not None else test.code
        if code:
            self._book_charge(charge, "payment_failure_refund", sign=-1)
            self.books.save(charge, status="failed")
            self._fail(intent, reason(code), method)
            outcome = "async_payment_failed"
        else:
            self._arrive(intent, charge)
            outcome = "async_payment_succeeded"
        if page:
            self.tell(f"checkout.session.{outcome}", self._after(page))

    def _after(self, session: Thing) -> Thing:
        intent = self.books.get(session["payment_intent"])
        paid = "paid" if intent["status"] == "succeeded" else "unpaid"
        return self.books.save(session, payment_status=paid)

    def _decline(self, intent: Thing, code: str, method: Thing) -> None:
        charge = self._charge(intent, method, status="failed")
        self.books.save(intent, latest_charge=charge["id"])
        self._fail(intent, reason(code), method)

    def _fail(self, intent: Thing, error: Thing, method: Thing) -> None:
        error = {"type": "card_error", **error, "payment_method": shown(method)}
        status = "requires_payment_method"
        self.books.save(intent, status=status, payment_method=None, last_payment_error=error)
        self.tell("payment_intent.payment_failed", intent)

    def _book_charge(self, charge: Thing, kind: str, *, sign: int = 1) -> None:
        amount, fee = sign * charge["amount"], sign * statement.fee_of(charge["amount"])
        txn = self._book(kind, amount, currency=charge["currency"], source=charge["id"], fee=fee)
        if sign > 0:
            self.books.save(charge, balance_transaction=txn["id"])

    def _book(self, kind: str, amount: int, *, currency: str, source: str, fee: int = 0) -> Thing:
        about = statement.line(kind, amount, currency=currency, source=source, fee=fee, at=self.at)
        return self._add("balance_transaction", **about)

    def _attach(self, method: Thing, customer: str | None) -> None:
        """Keep the method for the customer, or the debit that it leads to."""
        if method["type"] not in DEBITED_LATER:
            self.books.save(method, customer=customer)
            return
        debit = self._method(Test(method["number"], kind="sepa_debit"), customer=customer)
        leads_to = {"generated_sepa_debit": debit["id"], "iban_last4": method["number"][-4:]}
        self.books.save(method, **{method["type"]: method[method["type"]] | leads_to})
