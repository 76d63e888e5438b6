"""Accounts, their credit and their payments, with the habits of a PHP and MySQL server."""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import sqlite3
import unicodedata
from datetime import datetime
from decimal import Decimal
from typing import Any

from provisioning.simulator.outcomes import Done, Effect, ServerFault, refusal
from provisioning.simulator.store import insert, row, rows
from provisioning.simulator.switches import Switches

ADMIN_ROLE, TENANT_ROLE = "1", "2"
ROLES = ((ADMIN_ROLE, "Administrator"), (TENANT_ROLE, "Tenant"), ("3", "User"), ("4", "Agent"))
TEXTS = ("username", "email", "first_name", "last_name", "company", "phone", "language")
COUNTS = ("channels", "unit_voice", "unit_fax", "unit_sms", "unit_email", "active")
DEFAULTS: dict[str, Any] = {
    **dict.fromkeys(TEXTS, ""),
    **dict.fromkeys(COUNTS, 0),
    **{"role_id": "3", "rate_plan": "", "services": "", "active": 1, "external_ref": ""},
}
AMOUNT = re.compile(r"-?\d{1,9}(\.\d{1,4})?")
SCALE = Decimal(10_000)

Account = dict[str, Any]


def create(
    db: sqlite3.Connection, record: dict[str, Any], *, switches: Switches, at: datetime
) -> Account:
    """Insert the account; raise Refusal or ServerFault when its name or e-mail is taken."""
    values = {**DEFAULTS, **_readable(record, switches)}
    if not values["username"] or not record.get("password"):
        raise refusal("invalid", switches.wording)
    _require_free(db, values, switches)
    _know_tariff(db, values["rate_plan"], switches)
    identity = insert(
        db,
        "account",
        **values,
        folded=folded(values["username"]),
        password=hashed(str(record["password"])),
        created_at=at.isoformat(),
    )
    return by_id(db, identity) or {}


def update(
    db: sqlite3.Connection, account: Account, record: dict[str, Any], *, switches: Switches
) -> Done:
    """Set what the record carries; the rest is kept or reset, as switched. The name stays."""
    base = DEFAULTS if switches.update_resets_missing_fields else account
    values = {key: base[key] for key in DEFAULTS} | _readable(record, switches)
    values["username"] = account["username"]
    if switches.unique_email and _other_with_email(db, values["email"], account["id"]):
        raise refusal("email", switches.wording)
    _know_tariff(db, values["rate_plan"], switches)
    changed = any(values[key] != account[key] for key in DEFAULTS)
    assignments = ", ".join(f"{key} = ?" for key in values)
    db.execute(f"UPDATE account SET {assignments} WHERE id = ?", (*values.values(), account["id"]))
    verb = "update"
    if values["active"] != account["active"]:
        verb = "resume" if values["active"] else "suspend"
    if record.get("password"):
        secret = hashed(str(record["password"]))
        db.execute("UPDATE account SET password = ? WHERE id = ?", (secret, account["id"]))
        verb, changed = "password", True
    if not values["active"]:
        _silence(db, account["id"])
    return Done(effect=Effect(verb, account["username"], values["external_ref"], changed=changed))


def credit(
    db: sqlite3.Connection,
    account: Account,
    arguments: dict[str, Any],
    *,
    wording: int,
    at: datetime,
) -> Done:
    """Add a payment. The same call twice credits twice, as on the real server."""
    amount = str(arguments.get("value", ""))
    if not AMOUNT.fullmatch(amount):
        raise refusal("invalid", wording)
    amount_e4, reference = to_e4(amount), str(arguments.get("description", ""))
    payment = insert(
        db,
        "payment",
        account_id=account["id"],
        username=account["username"],
        amount_e4=amount_e4,
        description=reference,
        type=str(arguments.get("type", "")),
        paid_at=at.isoformat(),
    )
    db.execute(
        "UPDATE account SET credit_e4 = credit_e4 + ? WHERE id = ?", (amount_e4, account["id"])
    )
    return Done(payment, Effect("credit", account["username"], reference, amount))


def burn(db: sqlite3.Connection, account: Account, amount_e4: int) -> int:
    """Spend up to the amount of the account's credit, stop its campaigns at zero; return what was
    spent.
    """
    spent: int = max(0, min(amount_e4, account["credit_e4"]))
    db.execute("UPDATE account SET credit_e4 = credit_e4 - ? WHERE id = ?", (spent, account["id"]))
    if account["credit_e4"] - spent <= 0:
        _silence(db, account["id"])
    return spent


def delete(db: sqlite3.Connection, account: Account) -> Done:
    for table, column in (("account", "id"), ("campaign", "account_id"), ("session", "account_id")):
        db.execute(f"DELETE FROM {table} WHERE {column} = ?", (account["id"],))
    return Done(effect=Effect("delete", account["username"], account["external_ref"]))


def by_id(db: sqlite3.Connection, identity: Any) -> Account | None:
    return row(db, "SELECT * FROM account WHERE id = ?", str(identity))


def by_name(db: sqlite3.Connection, username: str) -> Account | None:
    return row(db, "SELECT * FROM account WHERE folded = ?", folded(username))


def customers(db: sqlite3.Connection) -> list[Account]:
    return rows(db, "SELECT * FROM account WHERE role_id <> ? ORDER BY id", ADMIN_ROLE)


def folded(name: str) -> str:
    """Return the name as MySQL's default collation compares it: no case, accents, end spaces."""
    bare = (each for each in unicodedata.normalize("NFKD", name) if not unicodedata.combining(each))
    return "".join(bare).casefold().rstrip()


def hashed(password: str, salt: str | None = None) -> str:
    salt = salt or os.urandom(8).hex()
    return f"{salt}${hashlib.pbkdf2_hmac('sha256', password.encode(), salt.encode(), 1000).hex()}"


def has_password(account: Account, password: str) -> bool:
    kept = account["password"]
    return hmac.compare_digest(kept, hashed(password, kept.partition("$")[0]))


def to_e4(amount: str) -> int:
    return int(Decimal(amount) * SCALE)


def from_e4(amount_e4: int, digits: int = 4) -> str:
    return f"{Decimal(amount_e4) / SCALE:.{digits}f}"


def _readable(record: dict[str, Any], switches: Switches) -> dict[str, Any]:
    """Take the fields we know, the way PHP would cast them; ignore the others in silence."""
    values = {}
    for key in DEFAULTS.keys() & record.keys():
        text = "" if record[key] is None else str(record[key])
        if key in COUNTS and not re.fullmatch(r"\d{1,9}", text or "0"):
            raise refusal("invalid", switches.wording)
        values[key] = int(text or 0) if key in COUNTS else text
    return values


def _require_free(db: sqlite3.Connection, values: dict[str, Any], switches: Switches) -> None:
    if by_name(db, values["username"]):
        if switches.duplicates == "error":
            raise ServerFault(f"Duplicate entry '{values['username']}' for key 'username'")
        raise refusal("taken", switches.wording)
    if switches.unique_email and _other_with_email(db, values["email"], 0):
        if switches.duplicates == "error":
            raise ServerFault(f"Duplicate entry '{values['email']}' for key 'email'")
        raise refusal("email", switches.wording)


def _other_with_email(db: sqlite3.Connection, email: str, identity: int) -> bool:
    query = "SELECT 1 FROM account WHERE email = ? COLLATE NOCASE AND email <> '' AND id <> ?"
    return row(db, query, email, identity) is not None


def _know_tariff(db: sqlite3.Connection, name: str, switches: Switches) -> None:
    if not name or row(db, "SELECT 1 FROM rate_plan WHERE name = ?", name):
        return
    if switches.strict_tariffs:
        raise refusal("tariff", switches.wording)
    insert(db, "rate_plan", name=name, voice_e4=200, fax_e4=400, sms_e4=600, email_e4=10)


def _silence(db: sqlite3.Connection, identity: int) -> None:
    """Stop the account's campaigns, as suspension and an empty balance do."""
    query = "UPDATE campaign SET status = 'stopped' WHERE account_id = ? AND status = 'running'"
    db.execute(query, (identity,))
