"""What staff wrote instead of the standard text of a mail."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class MailText(models.Model):
    """The passages of one kind of mail in one language that do not say the standard text."""

    mail = models.CharField(_("mail"), max_length=60)
    language = models.CharField(_("language"), max_length=5)
    # By the passage's code. Text with {placeholders}, checked again before each use.
    texts: models.JSONField[dict[str, str], dict[str, str]] = models.JSONField(_("texts"))
    changed_at = models.DateTimeField(_("changed"))

    class Meta:
        ordering = ["mail", "language"]
        verbose_name = _("mail text")
        verbose_name_plural = _("mail texts")
        constraints = [
            models.UniqueConstraint(fields=["mail", "language"], name="mail_text_once"),
        ]

    def __str__(self) -> str:
        return f"{self.mail} ({self.language})"
