"""One API call from arrival to answer: note it, apply the fault, act, note the effect, answer."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from provisioning.simulator import accounts, auth, campaigns, faults, methods, truth
from provisioning.simulator.accounts import ADMIN_ROLE
from provisioning.simulator.answers import Answer, Outcome, answer_to
from provisioning.simulator.faults import Fault
from provisioning.simulator.methods import MOVED, NOT_ALLOWED, Call, Method
from provisioning.simulator.outcomes import (
    Done,
    NotAllowed,
    Refusal,
    ServerFault,
    Unauthorised,
    refusal,
)
from provisioning.simulator.store import Store, insert, row, setting
from provisioning.simulator.switches import Switches
from provisioning.simulator.truth import Subject

PLANS = (
    # name, then the price of a minute, a page, a message, a mail in ten-thousandths
    ("Standard", 250, 500, 700, 10),
    ("Business", 190, 400, 600, 8),
    ("Wholesale", 120, 300, 500, 5),
)


@dataclass(frozen=True, slots=True)
class Request:
    profile: str
    method: str
    arguments: dict[str, str]
    authorization: str
    received_at: datetime


class Machine:
    """The server's state and behaviour without its sockets; `now` stamps answers, late effects."""

    def __init__(
        self, store: Store, *, password: str, currency: str, now: Callable[[], datetime]
    ) -> None:
        self.store = store
        self.currency = currency
        self._password = password
        self._now = now
        self._late: set[threading.Timer] = set()
        # What was last answered honestly to each question that changes nothing.
        self._answers: dict[tuple[object, ...], Answer] = {}
        with store.transaction() as db:
            self._furnish(db)

    def reset(self) -> None:
        """Forget accounts, log and faults; keep switches, the admin's login and issued keys."""
        self._answers.clear()
        self.store.forget()
        with self.store.transaction() as db:
            self._furnish(db)

    def restore(self, image: bytes) -> None:
        """Be as the store's image was."""
        self._answers.clear()
        self.store.restore(image)

    def call(self, request: Request) -> Answer:
        """Return the answer; by then the effect, if there is one now, is committed."""
        at = request.received_at
        with self.store.transaction() as db:
            campaigns.settle(db, at=at)
            switches = Switches.load(db)
            method = methods.table(request.profile, switches).get(request.method)
            request_id, fault = _receive(db, request, method)
        late = fault.late_seconds if fault else None
        if late is not None:
            self._apply_later(request, request_id, late)
        skipped = fault is not None and fault.apply != "yes"
        outcome = Done(None) if skipped else self._outcome(request, request_id, at)
        answer = answer_to(outcome, switches, fault)
        if method is not None and not method.mutating:
            answer = self._remembered(request, answer, fault)
        with self.store.transaction() as db:
            truth.answer(db, request_id, answer=answer.label, status=answer.status, at=self._now())
        return answer

    def _remembered(self, request: Request, answer: Answer, fault: Fault | None) -> Answer:
        """Return the last answer to this question where a stale one is ordered; keep honest ones.

        So a cache would answer that has not heard of what happened since.
        """
        question = (request.method, *sorted(_question(request.arguments).items()))
        if fault is not None and fault.answer == "stale":
            return replace(self._answers.get(question, answer), label="stale")
        if fault is None:
            self._answers[question] = answer
        return answer

    def close(self) -> None:
        for timer in list(self._late):
            timer.cancel()
        self.store.close()

    def _furnish(self, db: sqlite3.Connection) -> None:
        for name, voice, fax, sms, email in PLANS:
            db.execute(
                "INSERT OR IGNORE INTO rate_plan VALUES (?,?,?,?,?)", (name, voice, fax, sms, email)
            )
            db.execute("INSERT OR IGNORE INTO rate VALUES (?, '+49', ?)", (name, voice * 8 // 10))
        if row(db, "SELECT 1 FROM account WHERE role_id = ?", ADMIN_ROLE) is None:
            admin = {
                **accounts.DEFAULTS,
                "username": "admin",
                "folded": "admin",
                "role_id": ADMIN_ROLE,
            }
            insert(db, "account", **admin, password="", created_at=self._now().isoformat())
        query = "UPDATE account SET password = ? WHERE folded = 'admin'"
        db.execute(query, (accounts.hashed(self._password),))

    def _outcome(self, request: Request, request_id: int, at: datetime) -> Outcome:
        try:
            with self.store.transaction() as db:
                return _act(db, request, request_id, at)
        except (Refusal, ServerFault, Unauthorised, NotAllowed) as no:
            return no

    def _apply_later(self, request: Request, request_id: int, seconds: float) -> None:
        def act() -> None:
            self._late.discard(timer)
            outcome = self._outcome(request, request_id, self._now())
            if not isinstance(outcome, Done):
                with self.store.transaction() as db:
                    truth.forgo(db, request_id)

        timer = threading.Timer(seconds, act)
        timer.daemon = True
        self._late.add(timer)
        timer.start()


def is_down(db: sqlite3.Connection) -> bool:
    return bool(setting(db, "down", False))


def _receive(
    db: sqlite3.Connection, request: Request, method: Method | None
) -> tuple[int, Fault | None]:
    mutating = method is not None and method.mutating
    subject = _subject(db, request.arguments, method)
    fault = faults.take(db, request.method, mutating=int(mutating), username=subject.username)
    request_id = truth.receive(
        db,
        profile=request.profile,
        method=request.method,
        mutating=mutating,
        subject=subject,
        arguments=request.arguments,
        fault=fault.as_json() if fault else None,
        at=request.received_at,
    )
    return request_id, fault


def _act(db: sqlite3.Connection, request: Request, request_id: int, at: datetime) -> Done:
    switches = Switches.load(db)
    arguments = request.arguments
    caller = auth.caller_of(db, arguments, request.authorization, switches=switches, at=at)
    method = methods.table(request.profile, switches).get(request.method)
    if request.method in NOT_ALLOWED:
        raise NotAllowed
    if method is None:
        moved = "has moved" if request.method in MOVED else "does not exist"
        raise ServerFault(f"Method {request.method} {moved}")
    if method.admin_only and caller["role_id"] != ADMIN_ROLE:
        raise refusal("rights", switches.wording)
    call = Call(db, arguments, caller, switches, at, method.record_arg, method.id_arg)
    done = method.run(call)
    truth.apply(db, request_id, done.effect, caller=caller["username"], at=at)
    return done


def _subject(db: sqlite3.Connection, arguments: dict[str, str], method: Method | None) -> Subject:
    """Work out whose call this is from its arguments alone, for the log and the faults."""
    if method is None:
        return Subject()
    record = _object(arguments.get(method.record_arg, ""))
    named = record.get("username") or (arguments.get("value") if "search" in arguments else None)
    known = accounts.by_id(db, arguments.get(method.id_arg, ""))
    paid = "description" in arguments
    return Subject(
        username=known["username"] if known else named,
        reference=arguments.get("description") or record.get("external_ref"),
        amount=arguments.get("value") if paid else None,
    )


def _question(arguments: dict[str, str]) -> dict[str, str]:
    """Return the arguments without whoever asks."""
    logins = {name for pair in auth.FORM_FIELDS.values() for name in pair}
    return {name: value for name, value in arguments.items() if name not in logins}


def _object(text: str) -> dict[str, str]:
    try:
        value = json.loads(text)
    except ValueError:
        return {}
    return {key: str(each) for key, each in value.items()} if isinstance(value, dict) else {}
