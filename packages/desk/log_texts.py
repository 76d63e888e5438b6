"""What staff changed, in the reader's language: fields by the names that their forms have."""

import json
from typing import Any

from django.contrib.admin.models import LogEntry
from django.utils.text import capfirst
from django.utils.translation import gettext


def told(entry: LogEntry) -> str:
    """Return what was done.

    The entry keeps labels as they stand in forms, with a capital; texts know them without.
    """
    said = _parsed(entry.change_message)
    if said is None:
        return str(entry.change_message)
    for what in (each for part in said for each in part.values()):
        if "fields" in what:
            what["fields"] = [_labelled(each) for each in what["fields"]]
        if "name" in what:
            what["name"] = _labelled(what["name"])
    return str(LogEntry(change_message=json.dumps(said)).get_change_message())


def _parsed(message: str) -> list[dict[str, dict[str, Any]]] | None:
    """Return what Django wrote; None for a text, which stands as it is."""
    try:
        said = json.loads(message) if message.startswith("[") else None
    except json.JSONDecodeError:
        return None
    return said


def _labelled(label: str) -> str:
    found = gettext(label)
    if found != label:
        return found
    return capfirst(gettext(label[:1].lower() + label[1:]))
