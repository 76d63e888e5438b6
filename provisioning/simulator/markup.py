"""The pages' HTML. Every value passes `escape`, wherever it came from."""

from __future__ import annotations

import json
from collections.abc import Iterable
from html import escape
from typing import Any

from provisioning.simulator.accounts import from_e4

SERVICE_NAMES = {"voice": "Voice", "fax": "Fax", "sms": "SMS", "email": "E-mail"}


def page(title: str, body: str) -> str:
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(title)} · ICTBroadcast simulator</title>
<link rel="stylesheet" href="/_sim/style.css">
</head>
<body>
<header class="top">
<a class="top__name" href="/">ICTBroadcast simulator</a>
<nav><a href="/">Overview</a> <a href="/login">Customer login</a></nav>
</header>
<main>{body}</main>
<footer>A stand-in for training and tests. No call is ever placed.</footer>
</body>
</html>
"""


def accounts_table(holders: list[dict[str, Any]], running: set[int], currency: str) -> str:
    columns = ("Account", "State", "Tariff", "#Channels", "Services", "Units", "#Balance")
    lines = [
        (
            _two(each["username"], each["email"] or each["company"]),
            _state(each, running),
            escape(each["rate_plan"] or "–"),
            escape(str(each["channels"])),
            _services(each["services"]),
            _units(each),
            _money(each["credit_e4"], currency),
        )
        for each in holders
    ]
    return _section("Accounts", _table(columns, lines, "No account yet."))


def payments_table(payments: list[dict[str, Any]], currency: str) -> str:
    columns = ("When", "Account", "Reference", "#Amount")
    lines = [
        (
            _when(each["paid_at"]),
            escape(each["username"]),
            f"<code>{escape(each['description'])}</code>",
            _money(each["amount_e4"], currency),
        )
        for each in payments
    ]
    return _section("Last payments", _table(columns, lines, "No payment yet."))


def calls_table(calls: list[dict[str, Any]]) -> str:
    columns = ("When", "Method", "Account", "Fault", "Effect", "Answer")
    lines = [
        (
            _when(each["received_at"]),
            _two(each["method"], each["profile"]),
            escape(each["username"] or "–"),
            _fault(each["fault"]),
            _badge(*EFFECTS[each["effect"]]) if each["mutating"] else "–",
            _badge(each["answer"] or "none", "ok" if each["answer"] == "ok" else "warn"),
        )
        for each in calls
    ]
    return _section("Last calls", _table(columns, lines, "No call yet."))


def login(problem: str = "") -> str:
    notice = f'<p class="notice" role="alert">{escape(problem)}</p>' if problem else ""
    form = f"""{notice}<form class="card" method="post" action="/login">
<label>Username <input name="username" autocomplete="username" required></label>
<label>Password
<input name="password" type="password" autocomplete="current-password" required></label>
<button>Log in</button>
</form>"""
    return page("Log in", f'<section class="narrow"><h1>Log in</h1>{form}</section>')


def account_page(account: dict[str, Any], own: list[dict[str, Any]], currency: str) -> str:
    facts = (
        ("Balance", _money(account["credit_e4"], currency)),
        ("Tariff", escape(account["rate_plan"] or "–")),
        ("Channels", escape(str(account["channels"]))),
        ("Services", _services(account["services"])),
        ("Units", _units(account)),
    )
    rows = "".join(f"<div><dt>{name}</dt><dd>{value}</dd></div>" for name, value in facts)
    lines = [
        (escape(each["name"]), _services(each["service"]), escape(str(each["units"])), _run(each))
        for each in own
    ]
    table = _table(("Campaign", "Service", "#Units", "State"), lines, "No campaign yet.")
    buttons = "".join(
        f'<form method="post" action="{action}"><button{kind}>{label}</button></form>'
        for action, kind, label in (
            ("/campaigns/start", "", "Start a test campaign"),
            ("/campaigns/stop", ' class="quiet"', "Stop all"),
            ("/logout", ' class="quiet"', "Log out"),
        )
    )
    name = escape(account["username"])
    head = f'<h1>You are logged in</h1><p class="lead">Welcome, <strong>{name}</strong>.</p>'
    body = f'{head}<dl class="facts">{rows}</dl><div class="buttons">{buttons}</div>'
    return page("My account", f"<section>{body}</section>{_section('Campaigns', table)}")


def message(text: str, label: str, target: str) -> str:
    link = f'<p><a href="{escape(target)}">{escape(label)}</a></p>'
    return page("Message", f'<section class="narrow"><h1>{escape(text)}</h1>{link}</section>')


EFFECTS = {"yes": ("applied", "ok"), "no": ("none", "warn"), "late": ("still to come", "wait")}


def _section(title: str, content: str) -> str:
    return f"<section><h2>{escape(title)}</h2>{content}</section>"


def _table(columns: tuple[str, ...], lines: Iterable[tuple[str, ...]], empty: str) -> str:
    """Build a table of cells that are HTML already; a column named #… holds numbers."""
    marks = [' class="number"' if each.startswith("#") else "" for each in columns]
    head = "".join(
        f"<th{mark}>{escape(each.lstrip('#'))}</th>"
        for mark, each in zip(marks, columns, strict=True)
    )
    body = "".join(
        "<tr>"
        + "".join(f"<td{mark}>{cell}</td>" for mark, cell in zip(marks, line, strict=True))
        + "</tr>"
        for line in lines
    )
    if not body:
        return f'<p class="empty">{escape(empty)}</p>'
    table = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    return f'<div class="scroll">{table}</div>'


def _two(first: str, second: str) -> str:
    return f"<strong>{escape(first)}</strong><small>{escape(second)}</small>"


def _badge(word: str, kind: str) -> str:
    return f'<span class="badge badge--{kind}">{escape(word)}</span>'


def _state(account: dict[str, Any], running: set[int]) -> str:
    if not account["active"]:
        return _badge("suspended", "bad")
    return _badge("calling", "wait") if account["id"] in running else _badge("active", "ok")


def _run(campaign: dict[str, Any]) -> str:
    return _badge(campaign["status"], "ok" if campaign["status"] == "running" else "wait")


def _services(names: str) -> str:
    return (
        escape(", ".join(SERVICE_NAMES.get(each, each) for each in names.split(",") if each)) or "–"
    )


def _units(account: dict[str, Any]) -> str:
    left = [
        f"{account[f'unit_{service}']} {name}"
        for service, name in SERVICE_NAMES.items()
        if account[f"unit_{service}"]
    ]
    return escape(", ".join(left)) or "–"


def _fault(kept: str | None) -> str:
    if not kept:
        return "–"
    fault = json.loads(kept)
    return _badge(f"{fault['answer']}, apply {fault['apply']}", "bad")


def _money(amount_e4: int, currency: str) -> str:
    return f"{from_e4(amount_e4, 2)} {escape(currency)}"


def _when(moment: str) -> str:
    return f'<time datetime="{escape(moment)}">{escape(moment[5:19].replace("T", " "))}</time>'
