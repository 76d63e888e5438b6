"""What is written to Stripe and read from it."""

import calendar
import json
from datetime import date
from typing import Any

from billing.gateways import failures, reading, signatures
from billing.gateways.base import (
    BadWebhook,
    DisputeState,
    IncomingEvent,
    MovementKind,
    MovementSnapshot,
    PaymentRequest,
    PaymentSnapshot,
    PaymentStart,
    PaymentState,
    RefundSnapshot,
    RefundState,
    SavedMethod,
    SetupRequest,
    SetupSnapshot,
)
from billing.gateways.stripe import amounts, declines

# Where a PaymentIntent came from: one of a hosted page is known to us by that page's id.
HOSTED = "hosted"
CHARGE = "charge"

INTENT_STATES: dict[str, PaymentState] = {
    "requires_payment_method": "open",
    "requires_confirmation": "open",
    "requires_action": "open",
    "requires_capture": "processing",
    "processing": "processing",
    "succeeded": "succeeded",
    "canceled": "cancelled",
}
# docs.stripe.com/reports/reporting-categories (read November 2026).
MOVEMENTS: dict[str, MovementKind] = {
    "charge": "payment",
    # A debit that failed after it was asked for, and was in the balance until then.
    "charge_failure": "payment",
    "refund": "refund",
    "refund_failure": "refund",
    "dispute": "dispute",
    "dispute_reversal": "dispute",
    "fee": "fee",
    "tax": "fee",
    "payout": "payout",
    "payout_reversal": "payout",
}
REFUND_STATES: dict[str, RefundState] = {
    "pending": "processing",
    "requires_action": "processing",
    "succeeded": "succeeded",
    "failed": "failed",
    "canceled": "failed",
}
# docs.stripe.com/payments/bancontact/save-during-payment, /ideal/… (read November 2026).
DEBITED_LATER = {"bancontact", "ideal", "sofort"}
DISPUTE_STATES: dict[str, DisputeState] = {
    "won": "won",
    "lost": "lost",
    "warning_closed": "won",
    "prevented": "won",
}


def hosted_page(asked: PaymentRequest, *, configuration: str) -> dict[str, Any]:
    """A Checkout Session for one payment, in exactly our currency."""
    intent: dict[str, Any] = {
        "description": asked.description,
        "metadata": {"key": asked.key, "origin": HOSTED},
    }
    if asked.save_method:
        intent["setup_future_usage"] = "off_session"
    price = {
        "currency": asked.amount.currency.lower(),
        "unit_amount": amounts.counted(asked.amount),
        "product_data": {"name": asked.description},
    }
    return {
        "mode": "payment",
        "line_items": [{"quantity": 1, "price_data": price}],
        "payment_intent_data": intent,
        "customer": asked.customer_id,
        # Else Stripe may ask for another currency, and another sum than ours arrives.
        "adaptive_pricing": {"enabled": False},
        **_page(asked.key, asked.return_url, asked.language, configuration),
    }


def setup_page(asked: SetupRequest, *, configuration: str) -> dict[str, Any]:
    """A Checkout Session that keeps a method and charges nothing."""
    return {
        "mode": "setup",
        "currency": asked.currency.lower(),
        "customer": asked.customer_id,
        "setup_intent_data": {"metadata": {"key": asked.key}},
        **_page(asked.key, asked.return_url, asked.language, configuration),
    }


def charge(asked: PaymentRequest, token: str, *, configuration: str) -> dict[str, Any]:
    """A PaymentIntent that charges a saved method while nobody is there to be asked anything."""
    return {
        "amount": amounts.counted(asked.amount),
        "currency": asked.amount.currency.lower(),
        "customer": asked.customer_id,
        "payment_method": token,
        "description": asked.description,
        "metadata": {"key": asked.key, "origin": CHARGE},
        "confirm": True,
        "off_session": True,
        "automatic_payment_methods": {"enabled": True, "allow_redirects": "never"},
        "expand": ["latest_charge"],
        **_configured(configuration),
    }


def _page(key: str, back: str, language: str, configuration: str) -> dict[str, Any]:
    return {
        "ui_mode": "hosted_page",
        "success_url": back,
        "cancel_url": back,
        "locale": language if language in {"de", "en"} else "auto",
        "client_reference_id": key,
        "metadata": {"key": key},
        **_configured(configuration),
    }


def _configured(configuration: str) -> dict[str, Any]:
    return {"payment_method_configuration": configuration} if configuration else {}


def start(session: Any) -> PaymentStart:
    """The started page. This and the readers below raise Unavailable for what is unreadable."""
    return reading.answer(
        lambda: PaymentStart(reading.text(session["id"]), reading.url(session["url"]))
    )


def of_session(session: Any, *, dispute: Any = None) -> PaymentSnapshot:
    """The payment of a hosted page; its PaymentIntent and latest charge must be expanded."""
    return reading.answer(lambda: _of_session(session, dispute))


def of_intent(intent: Any, *, dispute: Any = None) -> PaymentSnapshot:
    """A charge of a saved method, or what somebody else made; its latest charge expanded."""
    return reading.answer(lambda: _of_intent(intent, dispute))


def of_setup(session: Any) -> SetupSnapshot:
    """What became of a page that keeps a method; its SetupIntent's method expanded."""
    return reading.answer(lambda: _of_setup(session))


def refund(answer: Any, external_id: str) -> RefundSnapshot:
    """A refund of the payment that we know by this id."""
    return reading.answer(lambda: _refund(answer, external_id))


def movement(line: Any, *, key: str) -> MovementSnapshot:
    """A balance transaction."""
    return reading.answer(
        lambda: MovementSnapshot(
            external_id=reading.text(line["id"]),
            kind=MOVEMENTS.get(line["reporting_category"], "other"),
            amount=amounts.money(line["amount"], line["currency"]),
            fee=amounts.money(line["fee"], line["currency"]),
            key=key,
            at=reading.moment(line["created"]),
        )
    )


def listed_event(found: Any, *, account: str) -> IncomingEvent:
    """An event as the API lists it, for one that was never delivered."""
    body = json.dumps(found).encode()
    return reading.answer(lambda: _event(found, body, account))


def event(body: bytes, *, account: str, livemode: bool) -> IncomingEvent:
    """The event in a verified body. Raises BadWebhook: malformed, account, mode."""
    found = signatures.strict_json(body)
    incoming = reading.webhook(lambda: _event(found, body, account))
    # Only events of connected accounts name one; another's are none of ours.
    if found.get("account") not in (None, account):
        raise BadWebhook("account")
    if incoming.livemode != livemode:
        raise BadWebhook("mode")
    return incoming


def _of_session(session: Any, dispute: Any) -> PaymentSnapshot:
    intent = session["payment_intent"]
    state: PaymentState = "cancelled" if session["status"] == "expired" else "open"
    if intent is None:
        return PaymentSnapshot(
            external_id=reading.text(session["id"]),
            key=_key(session),
            state=state,
            amount=amounts.money(session["amount_total"], session["currency"]),
            livemode=reading.flag(session["livemode"]),
            redirect_url=session["url"],
        )
    if session["status"] == "complete":
        state = INTENT_STATES[intent["status"]]
        # The page is closed: what fails afterwards (a debit) cannot be tried again on it.
        state = "failed" if state == "open" else state
    elif state == "open" and INTENT_STATES[intent["status"]] in {"succeeded", "processing"}:
        state = INTENT_STATES[intent["status"]]
    return _snapshot(session, intent, state=state, dispute=dispute, page=session["url"])


def _of_intent(intent: Any, dispute: Any) -> PaymentSnapshot:
    state = INTENT_STATES[intent["status"]]
    ours = intent["metadata"].get("origin") == CHARGE
    if ours and state == "open":
        # Nobody is there who could go on with it.
        state = "failed"
    return _snapshot(intent, intent, state=state, dispute=dispute)


def _of_setup(session: Any) -> SetupSnapshot:
    if session["mode"] != "setup":
        raise ValueError("a page that takes payments")
    intent = session["setup_intent"]
    done = session["status"] == "complete" and intent["status"] == "succeeded"
    state: Any = "succeeded" if done else {"expired": "cancelled"}.get(session["status"], "open")
    given = intent["payment_method"] if done else None
    method = _reusable(given["id"], _of_attempt(intent) or given) if given else None
    return SetupSnapshot(reading.text(session["id"]), _key(session), state, method)


def _of_attempt(intent: Any) -> Any:
    attempt = intent.get("latest_attempt")
    return attempt["payment_method_details"] if isinstance(attempt, dict) else None


def _snapshot(
    ours: Any, intent: Any, *, state: PaymentState, dispute: Any, page: str | None = None
) -> PaymentSnapshot:
    charge = intent["latest_charge"] if isinstance(intent["latest_charge"], dict) else None
    paid = state == "succeeded"
    code = None if paid else _code(intent, state)
    refunded = amounts.money(charge["amount_refunded"], intent["currency"]) if charge else None
    minor = intent["amount_received"] if paid else intent["amount"]
    return PaymentSnapshot(
        external_id=reading.text(ours["id"]),
        key=_key(ours),
        state=state,
        amount=amounts.money(minor, intent["currency"]),
        refunded_minor=refunded.minor if refunded else 0,
        refunds=_refunds(charge, reading.text(ours["id"])) if paid else None,
        dispute=DISPUTE_STATES.get(dispute["status"], "open") if dispute else "",
        dispute_url=_dispute_url(dispute) if dispute else "",
        failure_code=code,
        failure_message=failures.message(code),
        succeeded_at=reading.moment(charge["created"]) if paid and charge else None,
        method=_method(charge) if charge and paid else None,
        livemode=reading.flag(intent["livemode"]),
        redirect_url=page if state == "open" else None,
    )


def _refund(made: Any, external_id: str) -> RefundSnapshot:
    return RefundSnapshot(
        external_id=reading.text(made["id"]),
        key=_key(made),
        payment_external_id=external_id,
        amount=amounts.money(made["amount"], made["currency"]),
        state=REFUND_STATES[made["status"]],
        failure=str(made.get("failure_reason") or "")[:80],
    )


def _refunds(charge: Any, external_id: str) -> tuple[RefundSnapshot, ...] | None:
    """All refunds of a charge; of one that was not asked for them none are known."""
    made = charge.get("refunds") if charge else None
    return tuple(_refund(each, external_id) for each in made["data"]) if made else None


def _code(intent: Any, state: PaymentState) -> str | None:
    found = declines.code(intent["last_payment_error"])
    if found is None and state == "failed":
        return "authentication_required" if intent["status"] == "requires_action" else None
    return found


def _method(charge: Any) -> SavedMethod | None:
    """The method a charge went to, where Stripe keeps it for later."""
    token, details = charge["payment_method"], charge["payment_method_details"]
    return _reusable(token, details) if token and details else None


def _reusable(token: Any, details: Any) -> SavedMethod | None:
    """The method itself, or the debit that it leads to: a bank's own page pays once."""
    kind = details["type"]
    about = details.get(kind) or {}
    if kind not in DEBITED_LATER:
        return _kept(token, kind, about)
    debit = about.get("generated_sepa_debit")
    return _kept(debit, "sepa_debit", {"last4": about.get("iban_last4")}) if debit else None


def _kept(token: Any, kind: Any, details: Any) -> SavedMethod:
    about, kind = details or {}, reading.text(kind)
    # A wallet hands a card over, which may be charged later as any other.
    wallet = (about.get("wallet") or {}).get("type")
    brands = [about.get("brand") or kind, *([wallet] if wallet else [])]
    return SavedMethod(
        token=reading.text(token),
        kind=kind,
        brand=", ".join(_brand(str(each)) for each in brands),
        last4=str(about.get("last4") or ""),
        expires_on=_last_day(about),
    )


def _brand(code: str) -> str:
    return BRANDS.get(code, code.replace("_", " ").title())


BRANDS = {
    "visa": "Visa",
    "mastercard": "Mastercard",
    "amex": "American Express",
    "sepa_debit": "SEPA",
    "paypal": "PayPal",
    "link": "Link",
}


def _last_day(about: Any) -> date | None:
    if not about.get("exp_year") or not about.get("exp_month"):
        return None
    year, month = int(about["exp_year"]), int(about["exp_month"])
    return date(year, month, calendar.monthrange(year, month)[1])


def _dispute_url(dispute: Any) -> str:
    mode = "" if reading.flag(dispute["livemode"]) else "test/"
    return f"https://dashboard.stripe.com/{mode}disputes/{reading.text(dispute['id'])}"


def _key(made: Any) -> str:
    """Our key; what somebody made by hand in the Dashboard has none."""
    return str((made["metadata"] or {}).get("key", ""))[:255]


def _event(found: dict[str, Any], body: bytes, account: str) -> IncomingEvent:
    if found["object"] != "event":
        raise ValueError("no event")
    return IncomingEvent(
        external_id=reading.text(found["id"]),
        kind=reading.text(found["type"]),
        payment_external_id=_about(found["data"]["object"]),
        livemode=reading.flag(found["livemode"]),
        account=account,
        created_at=reading.moment(found["created"]),
        body=body,
    )


def _about(thing: Any) -> str | None:
    """The id of the payment that an event speaks of, None for what is none."""
    if thing.get("object") in {"checkout.session", "payment_intent"}:
        return reading.text(thing["id"])
    intent = thing.get("payment_intent")
    return reading.text(intent) if isinstance(intent, str) and intent else None
