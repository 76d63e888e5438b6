"""The page on which a customer approves, and an overview for people: forms without a script."""

import re
from decimal import Decimal
from html import escape
from urllib.parse import urlencode, urlsplit

from babel.numbers import format_currency

from packages.money import Money

from ..web import Request, Response, Route, route, see_other
from .bank import SOURCES, Bank
from .books import Thing
from .machine import Machine

SHOWN = 50
WORDS = {
    "de": {
        "title": "Mit PayPal bezahlen (Übung)",
        "to": "an",
        "pay": "Jetzt zahlen",
        "cancel": "Abbrechen und zurück",
        "source": "Zahlungsquelle",
        "balance": "Guthaben",
        "declined": "Karte, die abgelehnt wird",
        "pending": "Bankkonto, das Zeit braucht",
        "pending_fails": "Bankkonto, das dann ablehnt",
        "over": "Diese Zahlung ist abgeschlossen.",
        "note": "Ein Nachbau zum Üben. Es fließt kein Geld.",
    },
    "en": {
        "title": "Pay with PayPal (training)",
        "to": "to",
        "pay": "Pay now",
        "cancel": "Cancel and go back",
        "source": "Source of the money",
        "balance": "Balance",
        "declined": "Card that is declined",
        "pending": "Bank account that takes its time",
        "pending_fails": "Bank account that then declines",
        "over": "This payment is over.",
        "note": "A stand-in for training. No money moves.",
    },
}


def routes(machine: Machine) -> list[Route]:
    """The routes of the pages."""
    pages = Pages(machine)
    return [
        route("GET", "/", pages.overview),
        route("GET", "/checkoutnow", pages.show),
        route("POST", "/checkoutnow", pages.act),
    ]


class Pages:
    """The handlers."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine

    def show(self, request: Request) -> Response:
        """The form, or that it is over."""
        with self._machine.rules() as bank:
            order = bank.books.get(request.query["token"], "order")
        context = order["asked"].get("experience_context", {})
        lang = "de" if str(context.get("locale")).startswith("de") else "en"
        body = _page(order, lang, merchant=self._machine.setup.merchant)
        shop = _origin(context.get("return_url", ""))
        return _html(body, form_action=f"'self'{shop}")

    def act(self, request: Request) -> Response:
        """One button was pressed; both lead back to the shop."""
        data = request.data()
        with self._machine.rules() as bank:
            order = bank.books.get(request.query["token"], "order")
            context = order["asked"]["experience_context"]
            source = data.get("source", SOURCES[0])
            if data.get("action") != "pay" or source not in SOURCES:
                return see_other(context["cancel_url"])
            if order["status"] == "PAYER_ACTION_REQUIRED":
                bank.approve(order, source)
        joint = "&" if "?" in context["return_url"] else "?"
        back = {"token": order["id"], "PayerID": "PAYERLIKE1"}
        return see_other(context["return_url"] + joint + urlencode(back))

    def overview(self, request: Request) -> Response:
        """What was paid, and buttons for what a payer or PayPal's own pages would do."""
        with self._machine.rules() as bank:
            rows = "".join(_row(bank, each) for each in bank.books.all("order")[::-1][:SHOWN])
        merchant = escape(self._machine.setup.merchant)
        body = _frame("en", merchant, f"<h1>{merchant}</h1>{rows or '<p>No orders yet.</p>'}")
        return _html(body, form_action="'self'")


def _page(order: Thing, lang: str, *, merchant: str) -> str:
    say = WORDS[lang]
    unit = order["purchase_units"][0]
    amount = _amount(unit, lang)
    head = f"<h1>{say['title']}</h1><p>{amount} {say['to']} {escape(merchant)}</p>"
    if order["status"] != "PAYER_ACTION_REQUIRED":
        return _frame(lang, say["title"], f"{head}<p>{say['over']}</p>")
    options = "".join(f'<option value="{each}">{say[each]}</option>' for each in SOURCES)
    form = (
        f'<form method="post"><p><label>{say["source"]} <select name="source">{options}</select>'
        f'</label></p><p><button name="action" value="pay">{say["pay"]}</button> '
        f'<button name="action" value="cancel">{say["cancel"]}</button></p></form>'
    )
    about = escape(unit.get("description", ""))
    return _frame(lang, say["title"], f"{head}<p>{about}</p>{form}<p>{say['note']}</p>")


def _row(bank: Bank, order: Thing) -> str:
    unit = order["purchase_units"][0]
    captures = bank.books.of_order("capture", order)
    state = captures[-1]["status"] if captures else order["status"]
    acts = ""
    if captures and captures[-1]["status"] in {"COMPLETED", "PARTIALLY_REFUNDED"}:
        acts = "".join(
            f'<form method="post" action="/_sim/payments/{order["id"]}/{deed}">'
            f"<button>{deed}</button></form>"
            for deed in ("refund", "dispute")
        )
    about = escape(unit.get("description", ""))
    return f"<section><h2>{about} · {_amount(unit, 'en')}</h2><p>{state}</p>{acts}</section>"


def _frame(lang: str, title: str, main: str) -> str:
    return (
        f'<!doctype html><html lang="{lang}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="robots" content="noindex"><meta name="color-scheme" content="light dark">'
        f'<title>{escape(title)}</title><link rel="stylesheet" href="/style.css"></head>'
        f"<body><main>{main}</main></body></html>"
    )


def _html(body: str, *, form_action: str) -> Response:
    policy = f"default-src 'none'; style-src 'self'; base-uri 'none'; form-action {form_action}"
    return Response(200, body.encode(), headers={"Content-Security-Policy": policy})


def _origin(address: str) -> str:
    url = urlsplit(address)
    return f" {url.scheme}://{url.netloc}" if re.fullmatch(r"[\w.:\[\]-]+", url.netloc) else ""


def _amount(unit: Thing, lang: str) -> str:
    amount = unit["amount"]
    money = Money.of_decimal(Decimal(amount["value"]), amount["currency_code"])
    return escape(str(format_currency(money.decimal(), money.currency, locale=lang)))
