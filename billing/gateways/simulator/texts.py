"""The words of the hosted page, English and German."""

from typing import NamedTuple


class Words(NamedTuple):
    """One language."""

    lang: str
    locale: str
    badge: str
    title: str
    amount: str
    card: str
    hint: str
    saved: str
    pay: str
    save: str
    decline: str
    cancel: str
    numbers: str
    confirm_title: str
    confirm_text: str
    confirm: str
    reject: str
    back: str
    over: dict[str, str]
    errors: dict[str, str]
    cards: dict[str, str]


ENGLISH = Words(
    lang="en",
    locale="en",
    badge="Simulated payment: no money moves",
    title="Pay {merchant}",
    amount="Amount",
    card="Card number",
    hint="Use one of the test numbers below.",
    saved="The card is saved for later payments to {merchant}.",
    pay="Pay {amount}",
    save="Save it",
    decline="Decline",
    cancel="Cancel and return",
    numbers="Test numbers",
    confirm_title="Confirm it’s you",
    confirm_text="Your bank asks whether you want to pay {amount} to {merchant}.",
    confirm="Yes, it’s me",
    reject="No, stop",
    back="Back to {merchant}",
    over={
        "succeeded": "This payment is complete.",
        "processing": "This payment is on its way. It is being confirmed.",
        "failed": "This payment failed. No money was taken.",
        "cancelled": "This payment was cancelled. No money was taken.",
    },
    errors={
        "number": "This is not one of the test numbers. No money was taken.",
        "card_declined": "The card was declined. No money was taken. Please use another card.",
        "insufficient_funds": "The card has insufficient funds. No money was taken.",
        "authentication_required": "You did not confirm the payment. No money was taken.",
    },
    cards={
        "4242424242424242": "succeeds",
        "4000000000000002": "is declined",
        "4000000000009995": "has insufficient funds",
        "4000002500003155": "asks to confirm it’s you",
        "4000000000000077": "succeeds after a few seconds",
        "4000000000000259": "succeeds now, has insufficient funds at the next automatic payment",
        "4000000000000341": "succeeds now, is declined at the next automatic payment",
    },
)

GERMAN = Words(
    lang="de",
    locale="de",
    badge="Simulierte Zahlung: Es fließt kein Geld",
    title="An {merchant} zahlen",
    amount="Betrag",
    card="Kartennummer",
    hint="Verwenden Sie eine der Testnummern unten.",
    saved="Die Karte wird für spätere Zahlungen an {merchant} gespeichert.",
    pay="{amount} zahlen",
    save="Speichern",
    decline="Ablehnen",
    cancel="Abbrechen und zurück",
    numbers="Testnummern",
    confirm_title="Bestätigen Sie die Zahlung",
    confirm_text="Ihre Bank fragt, ob Sie {amount} an {merchant} zahlen möchten.",
    confirm="Ja, ich bin es",
    reject="Nein, abbrechen",
    back="Zurück zu {merchant}",
    over={
        "succeeded": "Diese Zahlung ist abgeschlossen.",
        "processing": "Diese Zahlung ist unterwegs und wird noch bestätigt.",
        "failed": "Diese Zahlung ist fehlgeschlagen. Es wurde nichts abgebucht.",
        "cancelled": "Diese Zahlung wurde abgebrochen. Es wurde nichts abgebucht.",
    },
    errors={
        "number": "Das ist keine der Testnummern. Es wurde nichts abgebucht.",
        "card_declined": "Die Karte wurde abgelehnt. Es wurde nichts abgebucht. "
        "Bitte verwenden Sie eine andere Karte.",
        "insufficient_funds": "Die Karte ist nicht gedeckt. Es wurde nichts abgebucht.",
        "authentication_required": "Sie haben die Zahlung nicht bestätigt. "
        "Es wurde nichts abgebucht.",
    },
    cards={
        "4242424242424242": "gelingt",
        "4000000000000002": "wird abgelehnt",
        "4000000000009995": "ist nicht gedeckt",
        "4000002500003155": "verlangt eine Bestätigung",
        "4000000000000077": "gelingt nach einigen Sekunden",
        "4000000000000259": "gelingt jetzt, ist bei der nächsten automatischen Zahlung "
        "nicht gedeckt",
        "4000000000000341": "gelingt jetzt, wird bei der nächsten automatischen Zahlung abgelehnt",
    },
)


def words(language: str) -> Words:
    """The words for a language tag; English for any but German."""
    return GERMAN if language.lower().startswith("de") else ENGLISH
