"""Payloads whose shape is published nowhere: absence, the id of a new account, the roles."""

from __future__ import annotations

import re
from typing import Any

from provisioning.dialler.errors import Unknown
from provisioning.dialler.mapping import Mapping
from provisioning.dialler.replies import NOTHING, Reply
from provisioning.dialler.scalars import Record, as_text
from provisioning.dialler.transport import Answer
from provisioning.dialler.values import Role

ID = re.compile(r"\d{1,20}|[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
ROLE_IDS, ROLE_NAMES = ("role_id", "id"), ("name", "role", "title")


def is_absence(reply: Reply, mapping: Mapping) -> bool:
    """Say whether a lookup was clearly answered "not there".

    That is `[false]`, `[false, null]`, `[true, false | null | [] | {}]`; a refusal with words may
    mean anything and counts only where the operator mapped it so.
    """
    if reply.ok:
        return reply.payload is None or reply.payload is False or reply.payload in ([], {})
    return reply.payload in (NOTHING, None, "") or mapping.lookup.refusal_means_absent


def told_id(payload: Any, answer: Answer, mapping: Mapping, *, username: str) -> str | None:
    """Return the id of the account just created, None if the answer tells none.

    Raises Unknown if the answer is about an account of another name.
    """
    record = payload[0] if isinstance(payload, list) and len(payload) == 1 else payload
    if not isinstance(record, dict):
        told = as_text(record) if not isinstance(record, bool) else None
        return told if told and ID.fullmatch(told) else None
    if record.get(mapping.lookup.username_key, username) != username:
        raise Unknown("The server answered with another account.", answer.quote())
    ids = (as_text(record.get(key)) for key in mapping.ids)
    return next(filter(None, ids), None)


def roles_from(payload: Any, answer: Answer) -> tuple[Role, ...]:
    """Return the roles, given as rows, as an object of id and name, or as names."""
    if isinstance(payload, dict):
        payload = [{"id": key, "name": name} for key, name in payload.items()]
    if not isinstance(payload, list):
        raise Unknown("The list of roles is not readable.", answer.quote())
    rows = [each if isinstance(each, dict) else {"id": each, "name": each} for each in payload]
    return tuple(Role(_first(row, ROLE_IDS), _first(row, ROLE_NAMES)) for row in rows)


def _first(row: Record, keys: tuple[str, ...]) -> str:
    texts = (as_text(row.get(key)) for key in keys)
    return next(filter(None, texts), "")[:100]
