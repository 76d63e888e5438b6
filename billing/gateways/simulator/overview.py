"""The page for people: what was paid, what was sent, and buttons to make trouble."""

from datetime import UTC, datetime
from html import escape

from packages.money import Money

from .machine import Machine
from .payments import refunded_minor
from .store import Row, Store
from .web import Request, Response, Route, route

POLICY = (
    "default-src 'none'; style-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
SHOWN = 50
MARKS = {"open": "○", "processing": "◔", "succeeded": "●", "failed": "✕", "cancelled": "–"}
EVENTS = """
    SELECT event.id, event.type, event.payment, event.at,
        (SELECT group_concat(status || ' × ' || times, ', ') FROM
            (SELECT status, count(*) AS times FROM attempt WHERE attempt.event = event.id
             GROUP BY status ORDER BY max(attempt.id))) AS answers
    FROM event ORDER BY n DESC LIMIT ?
"""


def routes(machine: Machine) -> list[Route]:
    """The one route."""

    def show(request: Request) -> Response:
        headers = {"Content-Security-Policy": POLICY}
        return Response(200, _page(machine).encode(), headers=headers)

    return [route("GET", "/", show)]


def _page(machine: Machine) -> str:
    store = machine.store
    payments = store.rows("SELECT * FROM payment ORDER BY n DESC LIMIT ?", SHOWN)
    events = store.rows(EVENTS, SHOWN)
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Simulated gateway</title>
<link rel="stylesheet" href="/style.css">
</head>
<body>
<main class="wide">
<h1>Simulated gateway</h1>
<p class="quiet">Account {escape(machine.setup.account)}; webhooks go to
<code>{escape(machine.setup.webhook_url)}</code>. No money moves here.</p>
<h2>Payments</h2>
{_table("When,Payment,State,Amount,Refunded,", [_payment(store, row) for row in payments])}
<h2>Events</h2>
{_table("When,Event,Payment,Answers,", [_event(row) for row in events])}
</main>
</body>
</html>
"""


def _table(heads: str, rows: list[str]) -> str:
    if not rows:
        return '<p class="quiet">Nothing yet. Begin a payment in the shop.</p>'
    head = "".join(f'<th scope="col">{name}</th>' for name in heads.split(","))
    body = "\n".join(rows)
    return (
        '<div class="scroll" tabindex="0" role="region" aria-label="Table"><table class="list">'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _payment(store: Store, row: Row) -> str:
    refunded = refunded_minor(store, row["id"])
    deeds = []
    if row["state"] == "succeeded" and not row["disputed"]:
        deeds = ["refund"] * (refunded < row["amount_minor"]) + ["dispute"]
    path = f"/_sim/payments/{row['id']}"
    buttons = "".join(_button(f"{path}/{deed}", deed.capitalize()) for deed in deeds)
    state = f"{MARKS[row['state']]} {row['state']}" + (", disputed" if row["disputed"] else "")
    if row["failure_code"]:
        state += f" ({row['failure_code']})"
    given_back = _amount(refunded, row["currency"])
    return f"""<tr><td>{_when(row["created_at"])}</td>
<td class="what"><a href="/pay/{row["id"]}">{escape(row["description"])}</a><br>
<code>{row["id"][:16]}…</code></td>
<td>{escape(state)}</td><td class="number">{_amount(row["amount_minor"], row["currency"])}</td>
<td class="number">{given_back}</td><td class="buttons">{buttons}</td></tr>"""


def _event(row: Row) -> str:
    answers = escape(row["answers"] or "not sent yet")
    again = _button(f"/_sim/events/{row['id']}/resend", "Resend")
    return f"""<tr><td>{_when(row["at"])}</td><td>{escape(row["type"])}</td>
<td><code>{row["payment"][:16]}…</code></td><td>{answers}</td>
<td class="buttons">{again}</td></tr>"""


def _button(path: str, label: str) -> str:
    return f'<form method="post" action="{path}"><button class="button">{label}</button></form>'


def _amount(minor: int, currency: str) -> str:
    return f"{Money(minor, currency).decimal():,} {currency}"


def _when(at: float) -> str:
    return f"{datetime.fromtimestamp(at, tz=UTC):%Y-%m-%d %H:%M:%S}"
