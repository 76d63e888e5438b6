"""What a customer wants of their data: a copy of all of it, or that it is deleted."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext_lazy as _

from billing.models.customer import Customer, User
from packages.states import Stateful


class DataExport(Stateful):
    """A copy of a customer's data: made by a worker, handed out once, gone after a week."""

    class State(models.TextChoices):
        WAITING = "waiting", _("being made")
        READY = "ready", _("ready")
        TAKEN = "taken", _("downloaded")
        EXPIRED = "expired", _("expired")

    MOVES = {
        State.WAITING: frozenset({State.READY}),
        State.READY: frozenset({State.TAKEN, State.EXPIRED}),
    }

    customer = models.ForeignKey(Customer, models.PROTECT, related_name="data_exports")
    asked_by = models.ForeignKey(User, models.SET_NULL, null=True, verbose_name=_("asked by"))
    state = models.CharField(
        _("state"), max_length=10, choices=State.choices, default=State.WAITING
    )
    # A ZIP file; emptied once it is taken or has expired.
    content = models.BinaryField(default=b"")
    asked_at = models.DateTimeField(_("asked for on"))
    again_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]
        verbose_name = _("copy of data")
        verbose_name_plural = _("copies of data")
        constraints = [
            models.UniqueConstraint(
                fields=["customer"],
                condition=Q(state__in=("waiting", "ready")),
                name="data_export_one_open",
            )
        ]

    def __str__(self) -> str:
        return f"{self.customer} · {date_format(localtime(self.asked_at))}"


class DeletionRequest(Stateful):
    """A customer wants their data deleted; staff do it, as far as the law lets them."""

    class State(models.TextChoices):
        RECEIVED = "received", _("waiting for staff")
        DONE = "done", _("carried out")
        REFUSED = "refused", _("not possible")

    MOVES = {State.RECEIVED: frozenset({State.DONE, State.REFUSED})}

    customer = models.ForeignKey(Customer, models.PROTECT, related_name="deletion_requests")
    asked_by = models.ForeignKey(User, models.SET_NULL, null=True, verbose_name=_("asked by"))
    state = models.CharField(
        _("state"), max_length=10, choices=State.choices, default=State.RECEIVED
    )
    asked_at = models.DateTimeField(_("asked for on"))

    class Meta:
        ordering = ["-id"]
        verbose_name = _("deletion request")
        verbose_name_plural = _("deletion requests")
        constraints = [
            models.UniqueConstraint(
                fields=["customer"], condition=Q(state="received"), name="deletion_one_open"
            )
        ]

    def __str__(self) -> str:
        return str(self.customer)
