"""How signing up and in behaves, and that its mails go through the outbox too."""

import uuid
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import get_language

from billing import emails


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """allauth's seam: the reader's language is kept, mails are stored before they are sent."""

    def save_user(self, request: HttpRequest, user: Any, form: Any, commit: bool = True) -> Any:
        user.language = (get_language() or settings.LANGUAGE_CODE).split("-")[0]
        return super().save_user(request, user, form, commit)

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Queue the mail; its links are secrets, so the texts hold a placeholder for them."""
        folder, _, template = template_prefix.rpartition("/")
        values = {key: value for key, value in context.items() if key != "request"}
        secret = next((key for key in ("activate_url", "password_reset_url") if key in values), "")
        sealed = str(values[secret]) if secret else ""
        if secret:
            values[secret] = emails.SEALED
        emails.queue(
            template,
            f"{template}-{uuid.uuid4()}",
            email,
            values,
            language=(get_language() or "en").split("-")[0],
            at=timezone.now(),
            sealed=sealed,
            folder=folder,
        )
