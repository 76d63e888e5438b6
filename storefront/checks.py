"""Django system checks: what an upgrade has made of the texts that staff wrote."""

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.core.checks import CheckMessage, Warning
from django.db import DatabaseError, connection

from billing import mail_texts
from billing.models import MailText
from storefront.mail_kinds import KINDS


def check_mail_texts(
    app_configs: Sequence[AppConfig] | None = None,
    databases: Sequence[str] | None = None,
    **kwargs: Any,
) -> list[CheckMessage]:
    """Each stored passage still fits its mail. Where one does not, the standard text is sent.

    For `check --database default`; before the table is there, nothing can be wrong with it.
    """
    if not databases or not _is_there():
        return []
    passages = {code: kind.passages for code, kind in KINDS.items()}
    hint = (
        "Open it in the admin, “Mails”: placeholders have changed, and the standard text is sent."
    )
    return [
        Warning(f"The text “{code}” of the mail {row} is not used.", hint=hint, id="shop.W001")
        for row, code in mail_texts.unfit(MailText.objects.all(), passages)
    ]


def _is_there() -> bool:
    try:
        return MailText._meta.db_table in connection.introspection.table_names()
    except DatabaseError:
        return False
