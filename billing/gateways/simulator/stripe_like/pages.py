"""The hosted page and an overview for people: forms without a script."""

import re
from datetime import UTC, datetime
from html import escape
from urllib.parse import urlsplit

from babel.numbers import format_currency

from packages.money import Money

from ..texts import Words, words
from ..web import Request, Response, Route, route, see_other
from .bank import Bank
from .books import Thing
from .cards import TESTS, WALLETS, find
from .machine import Machine

SHOWN = 50


def routes(machine: Machine) -> list[Route]:
    """The routes of the pages."""
    pages = Pages(machine)
    return [
        route("GET", "/", pages.overview),
        route("GET", "/c/pay/ID", pages.show),
        route("POST", "/c/pay/ID", pages.act),
    ]


class Pages:
    """The handlers."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine

    def show(self, request: Request, session_id: str) -> Response:
        """The form, the question of the bank, or how it ended."""
        with self._machine.rules() as bank:
            return self._page(bank, bank.books.get(session_id, "checkout.session"))

    def act(self, request: Request, session_id: str) -> Response:
        """One button was pressed. A page that is over leads back to the shop."""
        data = request.data()
        with self._machine.rules() as bank:
            session = bank.books.get(session_id, "checkout.session")
            if data.get("action") == "cancel":
                return see_other(session["cancel_url"] or session["success_url"])
            if data.get("action") == "reject":
                bank.reject_page(session)
                return see_other(f"/c/pay/{session_id}")
            test = WALLETS.get(data.get("action", "")) or find(data.get("card_number", ""))
            if test is None:
                return self._page(bank, session, error="number", status=422)
            outcome = bank.pay_page(session, test, confirmed=data.get("action") == "confirm")
            if outcome in {"paid", "over"}:
                return see_other(session["success_url"])
            return see_other(f"/c/pay/{session_id}")

    def overview(self, request: Request) -> Response:
        """What was paid, and buttons for what the Dashboard or a bank would do."""
        with self._machine.rules() as bank:
            body = _overview(self._machine, bank)
        policy = "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'"
        return Response(200, body.encode(), headers={"Content-Security-Policy": policy})

    def _page(self, bank: Bank, session: Thing, *, error: str = "", status: int = 200) -> Response:
        say = words("de" if session["locale"] == "de" else "en")
        intent = bank.books.find(session["payment_intent"] or "")
        names = {
            "merchant": escape(self._machine.setup.merchant),
            "amount": escape(_amount(session, say)),
        }
        if session["status"] != "open":
            main = _over(session, say, names)
        elif intent and intent["status"] == "requires_action":
            main = _question(bank, intent, say, names)
        else:
            failed = (intent or {}).get("last_payment_error") or {}
            reason = error or failed.get("decline_code") or failed.get("code", "")
            main = _form(session, say, names, error=reason)
        body = _frame(session, intent, say, names, main=main)
        return Response(
            status, body.encode(), headers={"Content-Security-Policy": _policy(session)}
        )


def _policy(session: Thing) -> str:
    """Nothing but our own style, and forms that may lead back to the shop."""
    url = urlsplit(session["success_url"])
    shop = f" {url.scheme}://{url.netloc}" if re.fullmatch(r"[\w.:\[\]-]+", url.netloc) else ""
    return (
        "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'; "
        f"form-action 'self'{shop}"
    )


def _amount(session: Thing, say: Words) -> str:
    if session["amount_total"] is None:
        return ""
    amount = Money(session["amount_total"], session["currency"].upper())
    return str(format_currency(amount.decimal(), amount.currency, locale=say.locale))


def _frame(
    session: Thing, intent: Thing | None, say: Words, names: dict[str, str], *, main: str
) -> str:
    what = session["asked"].get("description", "") if session["mode"] == "payment" else ""
    amount = f'<p class="summary__amount">{names["amount"]}</p>' if names["amount"] else ""
    return f"""<!doctype html>
<html lang="{say.lang}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<meta name="color-scheme" content="light dark">
<title>{names["merchant"]}</title>
<link rel="stylesheet" href="/style.css">
</head>
<body>
<main class="card">
<p class="badge">{say.badge}</p>
<header class="summary">
<h1 class="summary__merchant">{names["merchant"]}</h1>
<p class="summary__what">{escape(what)}</p>
{amount}
</header>
{main}
</main>
</body>
</html>
"""


def _form(session: Thing, say: Words, names: dict[str, str], *, error: str) -> str:
    known = say.errors.get(error) or (say.errors["card_declined"] if error else "")
    alert = f'<p class="alert" role="alert" id="error">{known}</p>' if known else ""
    keeps = session["mode"] == "setup" or session["asked"].get("setup_future_usage")
    saved = f'<p class="quiet">{say.saved.format(**names)}</p>' if keeps else ""
    press = say.pay.format(**names) if names["amount"] else say.save
    numbers = "\n".join(
        f"<tr><td><code>{_grouped(each.number)}</code></td><td>{_does(each)}</td></tr>"
        for each in TESTS
    )
    wallets = "\n".join(
        f'<button class="button" name="action" value="{code}">{name}</button>'
        for code, name in ((each, each.replace("_", " ").title()) for each in WALLETS)
    )
    return f"""{alert}
<form method="post" class="form">
<label for="card_number">{say.card} / IBAN</label>
<input id="card_number" name="card_number" autocomplete="off" maxlength="40"
 value="{_grouped(TESTS[0].number)}" aria-describedby="hint">
<p class="quiet" id="hint">{say.hint}</p>
{saved}
<button class="button button--main" name="action" value="pay">{press}</button>
<div class="form__others">
{wallets}
<button class="button" name="action" value="cancel">{say.cancel}</button>
</div>
</form>
<section class="numbers" aria-labelledby="numbers">
<h2 id="numbers">{say.numbers}</h2>
<table><tbody>
{numbers}
</tbody></table>
</section>"""


def _does(test: object) -> str:
    about = vars(test)
    parts = [about["kind"]] if about["kind"] != "card" else []
    parts += [about["code"]] if about["code"] else []
    parts += [f"3-D Secure ({about['asks']})"] if about["asks"] else []
    parts += [f"off session: {about['later']}"] if about["later"] else []
    parts += ["dispute"] if about["disputes"] else []
    return ", ".join(parts).replace("_", " ") or "ok"


def _question(bank: Bank, intent: Thing, say: Words, names: dict[str, str]) -> str:
    number = bank.books.get(intent["payment_method"])["number"]
    return f"""<form method="post" class="form">
<h2>{say.confirm_title}</h2>
<p>{say.confirm_text.format(**names)}</p>
<input type="hidden" name="card_number" value="{number}">
<button class="button button--main" name="action" value="confirm">{say.confirm}</button>
<div class="form__others">
<button class="button" name="action" value="reject">{say.reject}</button>
<button class="button" name="action" value="cancel">{say.cancel}</button>
</div>
</form>"""


def _over(session: Thing, say: Words, names: dict[str, str]) -> str:
    state = "succeeded" if session["status"] == "complete" else "cancelled"
    back = say.back.format(**names)
    return f"""<p class="over over--{state}" role="status">{say.over[state]}</p>
<p><a class="button button--main" href="{escape(session["success_url"])}">{back}</a></p>"""


def _overview(machine: Machine, bank: Bank) -> str:
    intents = list(reversed(bank.books.all("payment_intent")))[:SHOWN]
    disputes = [each for each in bank.books.all("dispute") if each["status"] == "needs_response"]
    rows = "\n".join(_payment(bank, each) for each in intents)
    open_ones = "\n".join(_dispute(each) for each in disputes)
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Stripe stand-in</title>
<link rel="stylesheet" href="/style.css">
</head>
<body>
<main class="wide">
<h1>Stripe stand-in</h1>
<p class="quiet">Account {escape(machine.setup.account)}; webhooks go to
<code>{escape(machine.setup.webhook_url)}</code>. No money moves here.</p>
<h2>Payments</h2>
<div class="scroll" tabindex="0" role="region" aria-label="Payments"><table class="list">
<thead><tr><th scope="col">When</th><th scope="col">What</th><th scope="col">State</th>
<th scope="col">Amount</th><th scope="col">Do</th></tr></thead><tbody>{rows}</tbody></table></div>
<h2>Open disputes</h2>
<div class="scroll" tabindex="0" role="region" aria-label="Disputes"><table class="list">
<tbody>{open_ones}</tbody></table></div>
{_button("/_sim/payouts", "Pay out the balance in euros")}
</main>
</body>
</html>
"""


def _payment(bank: Bank, intent: Thing) -> str:
    charge = bank.books.find(intent["latest_charge"] or "") or {}
    path, paid = f"/_sim/payments/{intent['id']}", intent["status"] == "succeeded"
    deeds = ["refund", "dispute"] if paid and not charge["disputed"] else []
    buttons = "".join(_button(f"{path}/{deed}", deed.capitalize()) for deed in deeds)
    shown = Money(intent["amount"], intent["currency"].upper())
    return f"""<tr><td>{_when(intent["created"])}</td>
<td class="what">{escape(intent["description"] or "")}<br><code>{intent["id"]}</code></td>
<td>{escape(intent["status"])}</td><td class="number">{shown.decimal():,} {shown.currency}</td>
<td class="buttons">{buttons}</td></tr>"""


def _dispute(dispute: Thing) -> str:
    path = f"/_sim/disputes/{dispute['id']}/close"
    lost = _button(path, "Lost")
    won = (
        f'<form method="post" action="{path}"><button class="button" name="won" value="yes">'
        "Won</button></form>"
    )
    return f"<tr><td><code>{dispute['id']}</code></td><td class='buttons'>{won}{lost}</td></tr>"


def _button(path: str, label: str) -> str:
    return f'<form method="post" action="{path}"><button class="button">{label}</button></form>'


def _grouped(number: str) -> str:
    return " ".join(number[i : i + 4] for i in range(0, len(number), 4))


def _when(at: float) -> str:
    return f"{datetime.fromtimestamp(at, tz=UTC):%Y-%m-%d %H:%M:%S}"
