"""Pages for people: what the server holds and did, and the login its customers got by mail."""

from __future__ import annotations

import secrets
import sqlite3
from datetime import datetime
from http.cookies import SimpleCookie
from pathlib import Path
from urllib.parse import parse_qs

from provisioning.simulator import accounts, auth, campaigns, markup
from provisioning.simulator.accounts import Account
from provisioning.simulator.machine import Machine
from provisioning.simulator.outcomes import Refusal, Unauthorised
from provisioning.simulator.store import insert, row, rows
from provisioning.simulator.web import Arrival, Page, json_page, redirect

STYLE = Path(__file__).with_name("style.css").read_bytes()
CALLS_SHOWN = 40
COOKIE = "dialler_session"


def style() -> Page:
    return Page(200, STYLE, "text/css; charset=utf-8")


def respond(machine: Machine, arrival: Arrival, *, at: datetime) -> Page:
    match arrival.verb, arrival.path:
        case "GET", "/":
            return _overview(machine, at)
        case "GET", "/login":
            return _html(markup.login())
        case "POST", "/login":
            return _log_in(machine, arrival, at)
        case "POST", "/logout":
            return _log_out(machine, arrival)
        case "GET", "/account":
            return _account(machine, arrival, at)
        case "POST", "/campaigns/start" | "/campaigns/stop":
            return _campaign(machine, arrival, at)
    return _html(markup.message("There is nothing here.", "Back to the overview", "/"), 404)


def _overview(machine: Machine, at: datetime) -> Page:
    with machine.store.transaction() as db:
        campaigns.settle(db, at=at)
        holders = accounts.customers(db)
        running = _running(db)
        payments = rows(db, "SELECT * FROM payment ORDER BY id DESC LIMIT 20")
        calls = rows(db, "SELECT * FROM request ORDER BY id DESC LIMIT ?", CALLS_SHOWN)
    parts = (
        markup.accounts_table(holders, running, machine.currency),
        markup.payments_table(payments, machine.currency),
        markup.calls_table(calls),
    )
    return _html(markup.page("Overview", "<h1>Overview</h1>" + "".join(parts)))


def _log_in(machine: Machine, arrival: Arrival, at: datetime) -> Page:
    """Answer 200 with the account's page (or JSON) and a session, or 403 without saying why."""
    fields = _posted(arrival)
    with machine.store.transaction() as db:
        campaigns.settle(db, at=at)
        try:
            account = auth.login(db, fields.get("username", ""), fields.get("password", ""))
        except Unauthorised:
            return _denied(arrival)
        token = secrets.token_urlsafe(24)
        insert(db, "session", token=token, account_id=account["id"])
        page = _welcome(db, machine, arrival, account)
    cookie = ("Set-Cookie", f"{COOKIE}={token}; Path=/; HttpOnly; SameSite=Strict")
    return Page(page.status, page.body, page.content_type, (cookie,))


def _log_out(machine: Machine, arrival: Arrival) -> Page:
    with machine.store.transaction() as db:
        db.execute("DELETE FROM session WHERE token = ?", (_token(arrival),))
    return redirect("/login")


def _account(machine: Machine, arrival: Arrival, at: datetime) -> Page:
    with machine.store.transaction() as db:
        campaigns.settle(db, at=at)
        account = _session(db, arrival)
        if account is None:
            return redirect("/login")
        return _welcome(db, machine, arrival, account)


def _campaign(machine: Machine, arrival: Arrival, at: datetime) -> Page:
    """Start a test campaign in the account's first service, or stop all that run."""
    with machine.store.transaction() as db:
        account = _session(db, arrival)
        if account is None:
            return _denied(arrival)
        try:
            if arrival.path.endswith("/start"):
                _start_test(db, account, at)
            else:
                _stop_all(db, account, at)
        except Refusal as no:
            return _html(markup.message(f"{no.reason}.", "Back to the account", "/account"), 409)
    return redirect("/account")


def _start_test(db: sqlite3.Connection, account: Account, at: datetime) -> None:
    service = account["services"].split(",")[0] or "voice"
    made = campaigns.create(db, account, {"name": "Test campaign", "service": service}, at=at)
    found = campaigns.by_id(db, made.payload)
    assert found is not None
    try:
        campaigns.start(db, found, at=at)
    except Refusal:
        db.execute("DELETE FROM campaign WHERE id = ?", (found["id"],))
        raise


def _stop_all(db: sqlite3.Connection, account: Account, at: datetime) -> None:
    campaigns.settle(db, at=at)
    for each in campaigns.of_account(db, account):
        if each["status"] == "running":
            campaigns.stop(db, each, at=at)


def _welcome(db: sqlite3.Connection, machine: Machine, arrival: Arrival, account: Account) -> Page:
    own = campaigns.of_account(db, account)
    if "application/json" in arrival.accept:
        names = ("username", "email", "rate_plan", "channels", "services")
        shown = {name: account[name] for name in names}
        balance = accounts.from_e4(account["credit_e4"])
        return json_page({**shown, "balance": balance, "currency": machine.currency})
    return _html(markup.account_page(account, own, machine.currency))


def _denied(arrival: Arrival) -> Page:
    if "application/json" in arrival.accept:
        return json_page({"error": "Login refused."}, 403)
    return _html(markup.login("This login is wrong or the account is suspended."), 403)


def _session(db: sqlite3.Connection, arrival: Arrival) -> Account | None:
    query = (
        "SELECT account.* FROM account JOIN session ON session.account_id = account.id"
        " WHERE session.token = ? AND account.active = 1"
    )
    return row(db, query, _token(arrival))


def _token(arrival: Arrival) -> str:
    found = SimpleCookie(arrival.cookies).get(COOKIE)
    return found.value if found else ""


def _posted(arrival: Arrival) -> dict[str, str]:
    """Return what the body carries, form or JSON; a login in the address is not taken."""
    if arrival.body.lstrip()[:1] == b"{":
        given = arrival.json()
        return {key: str(each) for key, each in given.items()} if isinstance(given, dict) else {}
    parsed = parse_qs(arrival.body.decode("utf-8", "replace"), keep_blank_values=True)
    return {key: values[-1] for key, values in parsed.items()}


def _running(db: sqlite3.Connection) -> set[int]:
    found = rows(db, "SELECT DISTINCT account_id FROM campaign WHERE status = 'running'")
    return {each["account_id"] for each in found}


def _html(text: str, status: int = 200) -> Page:
    return Page(status, text.encode())
