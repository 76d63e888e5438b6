"""Somebody was asked by mail to act for a customer."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from billing.models.customer import Customer, Membership, User
from packages.states import Stateful


class Invitation(Stateful):
    """What was offered to whom. The link's token is in the mail alone; here is its digest."""

    class State(models.TextChoices):
        SENT = "sent", _("sent")
        ACCEPTED = "accepted", _("accepted")
        WITHDRAWN = "withdrawn", _("withdrawn")

    MOVES = {State.SENT: frozenset({State.ACCEPTED, State.WITHDRAWN})}

    customer = models.ForeignKey(Customer, models.CASCADE, related_name="invitations")
    email = models.EmailField(_("e-mail address"))
    rights = models.JSONField(default=list)
    invited_by = models.ForeignKey(User, models.SET_NULL, null=True)
    token_digest = models.CharField(max_length=64, unique=True)
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.SENT)
    sent_at = models.DateTimeField(_("sent"))
    expires_at = models.DateTimeField(_("valid until"))

    class Meta:
        ordering = ["-id"]
        verbose_name = _("invitation")
        verbose_name_plural = _("invitations")
        constraints = [
            models.UniqueConstraint(
                "customer",
                Lower("email"),
                condition=Q(state="sent"),
                name="invitation_one_open",
            )
        ]

    def __str__(self) -> str:
        return self.email

    @property
    def words(self) -> list[str]:
        """Return what is offered beside looking, in the reader's language."""
        return [str(Membership.Right(each).label) for each in self.rights]
