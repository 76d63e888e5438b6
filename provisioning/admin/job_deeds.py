"""The buttons of a job that stands still; provisioning/desk.py does what they say."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django import forms
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from packages.desk import reasons
from packages.desk.deeds import Deed, DeedForm, ProofForm, ReasonForm, Text
from packages.money import Money
from provisioning import desk
from provisioning.admin import seen
from provisioning.admin.instructions import details, instruction, password
from provisioning.dialler.payloads import ID
from provisioning.models import Job

# What customers pay for; the others follow from it, or cost nothing.
SOLD = (Job.Kind.CREATE, Job.Kind.CREDIT, Job.Kind.SET_LIMITS, Job.Kind.REFILL)


class Seen(DeedForm):
    """Carries the fence of the job that the person looked at, so that an old page does nothing."""

    seen = forms.IntegerField(widget=forms.HiddenInput)


class SeenProof(Seen, ProofForm):
    """As Seen, with what the person saw."""


class SeenReason(Seen, ReasonForm):
    """As Seen, with the reason."""


class HandForm(SeenProof):
    """As SeenProof; a create also asks for the id that the dialler gave."""

    remote_id = forms.RegexField(
        rf"^({ID.pattern})$",
        label=gettext_lazy("Id of the account at the dialler"),
        help_text=gettext_lazy("The number or UUID that ICTBroadcast shows for the account."),
    )
    field_order = ("remote_id", "proof")


class JobDeed(Deed):
    form = Seen

    def offered(self, row: Job) -> bool:
        return row.state == Job.State.PARKED

    def initial(self, row: Job) -> dict[str, Any]:
        return {"seen": row.fence}

    def weighs(self, row: Job, given: dict[str, Any]) -> Money | None:
        """Credit is money: to say what became of it, or to give it up, may need two."""
        if row.kind not in (Job.Kind.CREDIT, Job.Kind.TAKE_BACK) or not row.amount_minor:
            return None
        return Money(row.amount_minor, row.currency)

    def facts(self, row: Job) -> Sequence[tuple[Text, Any]]:
        attempt = desk.attempt_in_doubt(row)
        evidence = [(_("Readings so far"), seen.told(attempt.readings))] if attempt else []
        return [
            (_("Job"), f"{capfirst(row.get_kind_display())} · {row.account.username}"),
            *([(_("Why it stands still"), reasons.told(row.reason))] if row.reason else []),
            *details(row),
            *evidence,
        ]


class VerifyNow(JobDeed):
    code = "verify"
    label = gettext_lazy("Verify now")

    def weighs(self, row: Job, given: dict[str, Any]) -> Money | None:
        """A worker decides by what it reads, not the person."""
        return None

    def effects(self, row: Job) -> Sequence[Text]:
        look = _("A worker asks %(server)s at once how the account stands.")
        first = look % {"server": row.account.server.name}
        if desk.open_attempt(row) is not None:
            return [
                first,
                _("If the command was applied, the job is done. Nothing is sent before that."),
                _("If two readings show that it was not applied, it is sent again."),
            ]
        return [
            first,
            _("If it is as it should be already, the job is done without sending anything."),
            _("Otherwise the command is sent, if the server's mapping allows it."),
        ]

    def carry_out(self, row: Job, given: dict[str, Any], *, at: datetime, actor: str) -> Text:
        desk.verify_now(row, seen=given["seen"], at=at, actor=actor)
        return _("A worker looks at it now. Reload this page to see what it found.")


class MarkApplied(JobDeed):
    code = "applied"
    label = gettext_lazy("Mark as applied")
    guarded = True

    def offered(self, row: Job) -> bool:
        return super().offered(row) and not desk.by_hand(row)

    def effects(self, row: Job) -> Sequence[Text]:
        return [
            _("You say that the dialler has done this already. Nothing is sent."),
            _("The job is done, the account's state follows, and the customer's mails go out."),
            _("The jobs behind it go on."),
        ]

    def form_for(self, row: Job, data: Any) -> DeedForm:
        asks_id = row.kind == Job.Kind.CREATE and not row.account.remote_id
        return (HandForm if asks_id else SeenProof)(data, initial=self.initial(row))

    def carry_out(self, row: Job, given: dict[str, Any], *, at: datetime, actor: str) -> Text:
        desk.mark_applied(
            row,
            proof=given["proof"],
            remote_id=given.get("remote_id", ""),
            seen=given["seen"],
            at=at,
            actor=actor,
        )
        return _("The job is done.")


class DoneByHand(MarkApplied):
    code = "by-hand"
    label = gettext_lazy("Done by hand")

    def offered(self, row: Job) -> bool:
        return desk.by_hand(row)

    def title(self, row: Job) -> Text:
        return instruction(row)

    def effects(self, row: Job) -> Sequence[Text]:
        return [
            _("You confirm that you have done it in ICTBroadcast. Nothing is sent."),
            _("The account's state follows, and the customer's mails go out."),
            _("The jobs behind it go on."),
        ]

    def facts(self, row: Job) -> Sequence[tuple[Text, Any]]:
        secret = password(row)
        shown = [(_("Password to set"), secret)] if secret else []
        return [*super().facts(row), *shown]


class MarkNotApplied(JobDeed):
    code = "not-applied"
    label = gettext_lazy("Mark as not applied, send again")
    guarded = True
    danger = True
    form = SeenProof

    def offered(self, row: Job) -> bool:
        in_doubt = desk.attempt_in_doubt(row) is not None
        return super().offered(row) and in_doubt and not desk.by_hand(row)

    def effects(self, row: Job) -> Sequence[Text]:
        again = _("The command is sent to %(server)s once more.")
        effects = [
            _("You say that the dialler has not done this, and will not do it late."),
            again % {"server": row.account.server.name},
        ]
        if row.kind == Job.Kind.CREDIT:
            effects.append(_("If you are wrong, the customer is credited twice."))
        return effects

    def carry_out(self, row: Job, given: dict[str, Any], *, at: datetime, actor: str) -> Text:
        proof, seen = given["proof"], given["seen"]
        desk.mark_not_applied(row, proof=proof, seen=seen, at=at, actor=actor)
        return _("The command will be sent again.")


class Cancel(JobDeed):
    code = "cancel"
    label = gettext_lazy("Cancel the job")
    guarded = True
    danger = True
    form = SeenReason

    def offered(self, row: Job) -> bool:
        return row.state in desk.CANCELLABLE[row.kind]

    def effects(self, row: Job) -> Sequence[Text]:
        effects = [
            _("The job is given up for good. The jobs behind it go on."),
            _("Nothing is sent, and nothing is paid back: book a refund by hand.")
            if row.kind in SOLD
            else _("Nothing is sent."),
        ]
        if desk.open_attempt(row) is not None:
            effects.append(_("A command is unanswered; the dialler may have done it all the same."))
        if row.kind == Job.Kind.CREATE:
            effects.append(_("The customer has paid and gets no account by this job."))
        return effects

    def carry_out(self, row: Job, given: dict[str, Any], *, at: datetime, actor: str) -> Text:
        desk.cancel(row, reason=given["reason"], seen=given["seen"], at=at, actor=actor)
        return _("The job is cancelled.")


DEEDS: tuple[Deed, ...] = (VerifyNow(), MarkApplied(), DoneByHand(), MarkNotApplied(), Cancel())
