"""What a consumer declared without signing in: a cancellation or a withdrawal."""

from __future__ import annotations

import uuid

from django.db import models
from django.utils.text import capfirst
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from billing.models.subscription import Subscription
from packages.states import Stateful


class Declaration(Stateful):
    """A cancellation (§ 312k BGB) or a withdrawal (§ 356a BGB) as it was received, word for word.

    `subscription` is the service that it is about, where that is certain; otherwise staff find it.
    """

    class Kind(models.TextChoices):
        CANCELLATION = "cancellation", _("cancellation")
        WITHDRAWAL = "withdrawal", _("withdrawal")

    class State(models.TextChoices):
        RECEIVED = "received", _("waiting for staff")
        DONE = "done", _("carried out")
        REFUSED = "refused", _("not valid")

    MOVES = {State.RECEIVED: frozenset({State.DONE, State.REFUSED})}

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    # The form's own key: sent twice it is received once.
    key = models.UUIDField(unique=True, editable=False)
    kind = models.CharField(_("kind"), max_length=12, choices=Kind.choices)
    state = models.CharField(
        _("state"), max_length=10, choices=State.choices, default=State.RECEIVED
    )
    name = models.CharField(_("name"), max_length=120)
    email = models.EmailField(_("e-mail address"))
    contract = models.CharField(_("contract, as named"), max_length=200)
    extraordinary = models.BooleanField(_("for good cause"), default=False)
    cause = models.TextField(_("good cause"), blank=True)
    wished_on = models.DateField(_("wished end"), null=True, blank=True)
    language = models.CharField(max_length=5)
    received_at = models.DateTimeField(_("received"))
    subscription = models.ForeignKey(
        Subscription, models.PROTECT, null=True, related_name="declarations"
    )

    class Meta:
        ordering = ["-id"]
        verbose_name = _("declaration")
        verbose_name_plural = _("cancellations and withdrawals")
        constraints = [
            models.CheckConstraint(
                name="declaration_good_cause_is_a_cancellation",
                condition=models.Q(extraordinary=False) | models.Q(kind="cancellation"),
            )
        ]

    def __str__(self) -> str:
        return f"{capfirst(self.get_kind_display())} · {self.name}"

    @property
    def title(self) -> str:
        """Return what was declared, in the reader's language."""
        if self.kind == self.Kind.WITHDRAWAL:
            return gettext("Withdrawal")
        if self.extraordinary:
            return gettext("Extraordinary cancellation")
        return gettext("Ordinary cancellation")
