"""Mails as a delivery may have left them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from billing.models import Mail
from packages.states import record_change


def left(template: str, state: Mail.State, *, at: datetime, **fields: Any) -> Mail:
    """Bring the mail of this template into a state, with its history entry, and return it."""
    mail = Mail.objects.get(template=template)
    before = mail.state
    Mail.objects.filter(pk=mail.pk).update(state=state, **fields)
    mail.refresh_from_db()
    record_change(mail, before=before, at=at, actor="test", reason="left like this")
    return mail
