"""The hosted page: one form, no script, every outcome leads back to the shop."""

import re
from html import escape
from typing import Any
from urllib.parse import urlsplit

from babel.numbers import format_currency

from packages.money import Money

from .cards import CARDS, find
from .machine import Machine
from .payments import Desk
from .store import Row
from .texts import Words, words
from .web import Request, Response, Route, route, see_other


def routes(machine: Machine) -> list[Route]:
    """The routes of the page."""
    checkout = Checkout(machine)
    return [route("GET", "/pay/ID", checkout.show), route("POST", "/pay/ID", checkout.act)]


class Checkout:
    """The handlers."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine

    def show(self, request: Request, payment_id: str) -> Response:
        """The form, the question of the bank, or how it ended."""
        with self._machine.rules() as desk:
            payment = desk.get(payment_id)
        return self._page(200, payment, error=payment["failure_code"])

    def act(self, request: Request, payment_id: str) -> Response:
        """One button was pressed. A payment that is over stays as it is and leads back."""
        data = request.data()
        with self._machine.rules() as desk:
            payment = _act(desk, payment_id, data)
        if payment is None:
            with self._machine.rules() as desk:
                return self._page(422, desk.get(payment_id), error="number")
        here = payment["state"] == "open"
        return see_other(f"/pay/{payment_id}" if here else payment["return_url"])

    def _page(self, status: int, payment: Row, *, error: str | None) -> Response:
        say = words(payment["language"])
        names = {
            "merchant": escape(self._machine.setup.merchant),
            "amount": escape(_money(payment, say)),
        }
        if payment["state"] != "open":
            main = _over(payment, say, names)
        elif payment["pending_card"]:
            main = _question(say, names)
        else:
            main = _form(payment, say, names, error=error)
        body = _frame(payment, say, names, main=main).encode()
        return Response(status, body, headers={"Content-Security-Policy": policy(payment)})


def policy(payment: Row) -> str:
    """Nothing but our own style, and forms that may lead back to the shop."""
    # Browsers apply form-action to where a form's answer redirects, so the shop must be named.
    url = urlsplit(payment["return_url"])
    shop = f" {url.scheme}://{url.netloc}" if re.fullmatch(r"[\w.:\[\]-]+", url.netloc) else ""
    return (
        "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'; "
        f"form-action 'self'{shop}"
    )


def _act(desk: Desk, payment_id: str, data: dict[str, Any]) -> Row | None:
    """What the button does; None for a number that is no test number."""
    payment, action = desk.get(payment_id), data.get("action", "pay")
    if payment["state"] != "open":
        return payment
    if action == "cancel":
        return desk.finish(payment_id, "cancelled")
    if action == "decline":
        return desk.finish(payment_id, "failed", "card_declined")
    if action == "confirm":
        return desk.confirm(payment_id)
    if action == "reject":
        return desk.reject(payment_id)
    card = find(data.get("card_number", ""))
    return desk.pay(payment_id, card) if card else None


def _money(payment: Row, say: Words) -> str:
    amount = Money(payment["amount_minor"], payment["currency"])
    return str(format_currency(amount.decimal(), amount.currency, locale=say.locale))


def _frame(payment: Row, say: Words, names: dict[str, str], *, main: str) -> str:
    title = say.title.format(**names)
    return f"""<!doctype html>
<html lang="{say.lang}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<meta name="color-scheme" content="light dark">
<title>{title} · {names["amount"]}</title>
<link rel="stylesheet" href="/style.css">
</head>
<body>
<main class="card">
<p class="badge">{say.badge}</p>
<header class="summary">
<h1 class="summary__merchant">{title}</h1>
<p class="summary__what">{escape(payment["description"])}</p>
<p class="summary__amount"><span class="quiet">{say.amount}</span> {names["amount"]}</p>
</header>
{main}
</main>
</body>
</html>
"""


def _form(payment: Row, say: Words, names: dict[str, str], *, error: str | None) -> str:
    alert = say.errors.get(error or "")
    shown = f'<p class="alert" role="alert" id="error">{alert}</p>' if alert else ""
    wrong = ' aria-invalid="true"' if alert else ""
    described = "error hint" if alert else "hint"
    saved = f'<p class="quiet">{say.saved.format(**names)}</p>' if payment["save_method"] else ""
    numbers = "\n".join(
        f"<tr><td><code>{_grouped(card.number)}</code></td><td>{say.cards[card.number]}</td></tr>"
        for card in CARDS
    )
    return f"""{shown}
<form method="post" class="form">
<label for="card_number">{say.card}</label>
<input id="card_number" name="card_number" inputmode="numeric" autocomplete="off" maxlength="30"
 value="{_grouped(CARDS[0].number)}" aria-describedby="{described}"{wrong}>
<p class="quiet" id="hint">{say.hint}</p>
{saved}
<button class="button button--main" name="action" value="pay">{say.pay.format(**names)}</button>
<div class="form__others">
<button class="button" name="action" value="decline">{say.decline}</button>
<button class="button" name="action" value="cancel">{say.cancel}</button>
</div>
</form>
<section class="numbers" aria-labelledby="numbers">
<h2 id="numbers">{say.numbers}</h2>
<table><tbody>
{numbers}
</tbody></table>
</section>"""


def _question(say: Words, names: dict[str, str]) -> str:
    return f"""<form method="post" class="form">
<h2>{say.confirm_title}</h2>
<p>{say.confirm_text.format(**names)}</p>
<button class="button button--main" name="action" value="confirm">{say.confirm}</button>
<div class="form__others">
<button class="button" name="action" value="reject">{say.reject}</button>
<button class="button" name="action" value="cancel">{say.cancel}</button>
</div>
</form>"""


def _over(payment: Row, say: Words, names: dict[str, str]) -> str:
    state, back = payment["state"], say.back.format(**names)
    return f"""<p class="over over--{state}" role="status">{say.over[state]}</p>
<p><a class="button button--main" href="{escape(payment["return_url"])}">{back}</a></p>"""


def _grouped(number: str) -> str:
    return " ".join(number[i : i + 4] for i in range(0, len(number), 4))
