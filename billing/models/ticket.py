"""A support request and what was said about it, with the files that came along."""

from __future__ import annotations

import uuid

from django.db import models
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext_lazy as _

from billing.models.customer import Customer, User
from packages.states import Stateful


class Ticket(Stateful):
    """What somebody wants of the operator; without a customer, staff find out whose it is."""

    class State(models.TextChoices):
        OPEN = "open", _("waiting for staff")
        ANSWERED = "answered", _("answered")
        CLOSED = "closed", _("closed")

    MOVES = {
        State.OPEN: frozenset({State.ANSWERED, State.CLOSED}),
        State.ANSWERED: frozenset({State.OPEN, State.CLOSED}),
        # Whoever writes again opens it again.
        State.CLOSED: frozenset({State.OPEN, State.ANSWERED}),
    }

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    customer = models.ForeignKey(
        Customer,
        models.PROTECT,
        null=True,
        related_name="tickets",
        verbose_name=_("customer"),
    )
    opened_by = models.ForeignKey(User, models.PROTECT, null=True, verbose_name=_("opened by"))
    email = models.EmailField(_("e-mail address"))
    subject = models.CharField(_("subject"), max_length=150)
    language = models.CharField(max_length=5)
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.OPEN)
    opened_at = models.DateTimeField(_("opened"))
    changed_at = models.DateTimeField(_("last message"))

    class Meta:
        ordering = ["-id"]
        verbose_name = _("support request")
        verbose_name_plural = _("support requests")

    def __str__(self) -> str:
        return self.subject

    @property
    def answers_to(self) -> str:
        """Return where answers go: to who asked, as long as they act for the customer."""
        asker, customer = self.opened_by, self.customer
        if customer is None or asker is None:
            return self.email or (customer.email if customer else "")
        still = customer.memberships.filter(user=asker).exists()
        return asker.email if still else customer.email


class TicketMessage(models.Model):
    """What one side said; never changed."""

    class Side(models.TextChoices):
        CUSTOMER = "customer", _("customer")
        STAFF = "staff", _("staff")

    ticket = models.ForeignKey(Ticket, models.PROTECT, related_name="messages")
    # The form's own key: sent twice it is said once.
    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    side = models.CharField(max_length=10, choices=Side.choices)
    author = models.ForeignKey(User, models.PROTECT, null=True)
    # Of a message that came as a mail.
    sender = models.EmailField(_("from"), blank=True)
    text = models.TextField(_("text"))
    written_at = models.DateTimeField(_("written"))

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.ticket} · {date_format(localtime(self.written_at), 'DATETIME_FORMAT')}"


class TicketFile(models.Model):
    """A file that came with a message; in the database, so no web server serves it by itself."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    message = models.ForeignKey(TicketMessage, models.PROTECT, related_name="files")
    name = models.CharField(_("name"), max_length=100)
    size_bytes = models.PositiveIntegerField()
    content = models.BinaryField()

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return self.name
