"""The rule of two: a deed over more than a set sum is proposed by one person, done by another."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from django.db import IntegrityError, models, transaction
from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from packages.desk import Impossible
from packages.money import Money
from packages.states import Stateful, record_change


class SecondPerson(models.Model):
    """The sum in a currency up to which one person decides alone. No row: no rule."""

    currency = models.CharField(gettext_lazy("currency"), max_length=3, unique=True)
    above_minor = models.BigIntegerField(
        gettext_lazy("a second person above, in minor units"),
        help_text=gettext_lazy("10000 is 100.00; 0: always."),
    )

    class Meta:
        ordering = ["currency"]
        verbose_name = gettext_lazy("rule of two")
        verbose_name_plural = gettext_lazy("rules of two")
        constraints = [
            models.CheckConstraint(
                name="second_person_not_negative", condition=Q(above_minor__gte=0)
            ),
        ]

    def __str__(self) -> str:
        return self.currency

    @property
    def above(self) -> Money:
        return Money(self.above_minor, self.currency)


class Proposal(Stateful):
    """A deed that one person filled in, and that another one approves or denies.

    `given` is the form as it was sent; it is checked again when somebody approves.
    """

    class State(models.TextChoices):
        PROPOSED = "proposed", gettext_lazy("waits for a second person")
        APPROVED = "approved", gettext_lazy("approved and done")
        DENIED = "denied", gettext_lazy("denied")

    MOVES = {State.PROPOSED: frozenset({State.APPROVED, State.DENIED})}

    subject = models.CharField(max_length=60)
    subject_id = models.BigIntegerField()
    deed = models.CharField(max_length=40)
    about = models.CharField(gettext_lazy("about"), max_length=200)
    given = models.JSONField()
    amount_minor = models.BigIntegerField(gettext_lazy("amount"))
    currency = models.CharField(max_length=3)
    proposed_by = models.CharField(gettext_lazy("proposed by"), max_length=80)
    state = models.CharField(
        gettext_lazy("state"), max_length=10, choices=State.choices, default=State.PROPOSED
    )
    at = models.DateTimeField(gettext_lazy("proposed"))
    decided_by = models.CharField(gettext_lazy("decided by"), max_length=80, blank=True)
    decided_at = models.DateTimeField(gettext_lazy("decided"), null=True)

    class Meta:
        ordering = ["-id"]
        verbose_name = gettext_lazy("proposal")
        verbose_name_plural = gettext_lazy("proposals")
        constraints = [
            models.UniqueConstraint(
                fields=["subject", "subject_id", "deed"],
                condition=Q(state="proposed"),
                name="proposal_one_open",
            ),
            models.CheckConstraint(
                name="proposal_needs_two",
                condition=~Q(state="approved")
                | (~Q(decided_by="") & ~Q(decided_by=models.F("proposed_by"))),
            ),
        ]

    def __str__(self) -> str:
        return self.about

    @property
    def amount(self) -> Money:
        return Money(self.amount_minor, self.currency)


def limit(currency: str) -> Money | None:
    """Return the sum above which a second person is needed, None where there is no rule."""
    row = SecondPerson.objects.filter(currency=currency).first()
    return row.above if row else None


def needs_second(amount: Money) -> bool:
    """Say whether a deed over this sum is only proposed by whoever asks for it."""
    above = limit(amount.currency)
    return above is not None and amount > above


def propose(
    row: models.Model,
    deed: str,
    given: dict[str, list[str]],
    amount: Money,
    *,
    at: datetime,
    actor: str,
) -> Proposal:
    """Keep a filled-in deed for a second person; raise Impossible while one waits for the row."""
    proposal = Proposal(
        subject=row._meta.label_lower,
        subject_id=row.pk,
        deed=deed,
        about=str(row)[:200],
        given=given,
        amount_minor=amount.minor,
        currency=amount.currency,
        proposed_by=actor,
        at=at,
    )
    try:
        with transaction.atomic():
            proposal.save()
            record_change(proposal, before="", at=at, actor=actor, reason="proposed")
    except IntegrityError as error:
        raise Impossible(
            _("The same is proposed already, and waits for a second person.")
        ) from error
    return proposal


def approve(
    proposal: Proposal, carry_out: Callable[[str], str], *, at: datetime, actor: str
) -> str:
    """Do the deed on the word of a second person, and return what it says; all or nothing.

    `carry_out` gets the actor, which names both. It must not speak HTTP: it runs in a transaction,
    under the proposal's lock. Raises Impossible, also for the proposer.
    """
    with transaction.atomic():
        held = _held(proposal)
        if held.proposed_by == actor:
            raise Impossible(_("You have proposed this yourself. Somebody else has to approve it."))
        said = carry_out(f"{actor}, proposed by {held.proposed_by}")
        _decide(held, Proposal.State.APPROVED, reason=said, at=at, actor=actor)
    return said


def deny(proposal: Proposal, *, reason: str, at: datetime, actor: str) -> None:
    """Put the proposal aside; nothing of it is done. The proposer may take it back like this."""
    with transaction.atomic():
        _decide(_held(proposal), Proposal.State.DENIED, reason=reason, at=at, actor=actor)


def _held(proposal: Proposal) -> Proposal:
    held = Proposal.objects.select_for_update().get(pk=proposal.pk)
    if held.state != Proposal.State.PROPOSED:
        raise Impossible(_("Somebody has decided on this already."))
    return held


def _decide(
    held: Proposal, state: Proposal.State, *, reason: str, at: datetime, actor: str
) -> None:
    held.decided_by, held.decided_at = actor, at
    held.move(state, at=at, actor=actor, reason=reason, also=("decided_by", "decided_at"))
