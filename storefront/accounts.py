"""How signing up and in behaves, and that its mails go through the outbox too."""

import uuid
from typing import Any
from urllib.parse import urlsplit

from allauth.account.adapter import DefaultAccountAdapter
from allauth.mfa.adapter import DefaultMFAAdapter
from django.conf import settings
from django.http import HttpRequest
from django.utils import translation
from django.utils.translation import gettext_lazy as _

from billing import emails, mail_texts
from packages import clock
from provisioning import vault
from storefront import letters


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """allauth's seam: the reader's language is kept, mails are stored before they are sent."""

    error_messages = {
        **DefaultAccountAdapter.error_messages,
        "email_password_mismatch": _("The e-mail address or the password is wrong."),
        "email_taken": _("There is an account with this e-mail address already."),
    }

    def save_user(self, request: HttpRequest, user: Any, form: Any, commit: bool = True) -> Any:
        user.language = _language()
        return super().save_user(request, user, form, commit)

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Queue the mail; a link that opens something is sealed, the texts hold a placeholder."""
        name = template_prefix.rpartition("/")[2]
        letter = letters.LETTERS[name]
        link = _on_our_host(str(context[letter.link])) if letter.link else ""
        language = getattr(context.get("user"), "language", "") or _language()
        own = mail_texts.written(name, letters.passages(name), language=language)
        with translation.override(language):
            shown = emails.SEALED if letter.sealed else link
            values = letters.write(name, {**context, "email": email}, own=own, link=shown)
        emails.queue(
            "letter",
            f"{name}-{uuid.uuid4()}",
            email,
            values,
            language=language,
            at=clock.now(),
            sealed=link if letter.sealed else "",
            folder=letters.FOLDER,
        )


class SecondFactorAdapter(DefaultMFAAdapter):  # type: ignore[misc]
    """allauth's seam for second factors: their seeds are sealed at rest."""

    PURPOSE = "second-factor"
    error_messages = {
        **DefaultMFAAdapter.error_messages,
        "unverified_email": _(
            "Please confirm your e-mail address first. Below, under “E-mail addresses”, we send "
            "you the link again."
        ),
    }

    def encrypt(self, text: str) -> str:
        return vault.seal(text, purpose=self.PURPOSE).decode()

    def decrypt(self, encrypted_text: str) -> str:
        return vault.unseal(encrypted_text.encode(), purpose=self.PURPOSE)


def _language() -> str:
    return (translation.get_language() or settings.LANGUAGE_CODE).split("-")[0]


def _on_our_host(url: str) -> str:
    """Return the same page at the shop's own address, whatever host the request named."""
    parts = urlsplit(url)
    return f"{settings.SITE_URL}{parts.path}" + (f"?{parts.query}" if parts.query else "")
