"""Files that staff take out of the shop: each is in the audit log, with who, what and how much."""

from django.http import HttpRequest

from packages import clock
from packages.states import record

TAKEN = "downloaded"


def note(request: HttpRequest, file: str, rows: int) -> None:
    """Leave an entry at whoever takes the file: its name, its rows, and what was asked for."""
    asked = request.GET.urlencode()
    reason = f"{file}: {rows} rows" + (f" ({asked})" if asked else "")
    by = f"staff:{request.user.pk}"
    record("user", request.user.pk or 0, "", TAKEN, at=clock.now(), actor=by, reason=reason)
