"""What staff do to a server: test it, ask it again, survey its API."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django import forms
from django.db import IntegrityError, transaction
from django.utils import formats, timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from packages.desk import Impossible, reasons
from packages.desk.cells import EMPTY, amount_of
from packages.desk.deeds import Deed, DeedForm, ReasonForm, Text
from packages.models import Tariff
from provisioning import circuits, health, servers, survey_desk
from provisioning.dialler.mapping import MappingError
from provisioning.models import Server, Survey

TROUBLES = {
    "NotSent": gettext_lazy("cannot be reached: check address, network and certificate"),
    "Refused": gettext_lazy("refused the question: check the API user's rights"),
    "Misconfigured": gettext_lazy("refused login or method: check user, secret, mapping"),
    "Unknown": gettext_lazy("answered with something unreadable: is this the API address?"),
    "NotAllowed": gettext_lazy("has an address that is not allowed: see DIALLER_NETWORKS"),
    "Unsealable": gettext_lazy("secret was sealed with another key: enter it again"),
}


class TestConnection(Deed):
    code, label = "test", gettext_lazy("Test connection")

    def offered(self, row: Server) -> bool:
        return True

    def effects(self, row: Server) -> Sequence[Text]:
        return [
            _("%(server)s is asked for its list of roles with the stored login.")
            % {"server": row.base_url},
            _("Nothing is changed there."),
        ]

    def carry_out(self, row: Server, given: dict[str, Any], *, at: datetime, actor: str) -> Text:
        """Speaks HTTP; no transaction is open."""
        try:
            works = servers.check(row, at=at)
        except MappingError as error:
            raise Impossible(" ".join(error.problems)) from error
        if not works:
            raise Impossible(
                _("%(server)s %(trouble)s.") % {"server": row.name, "trouble": told(row)}
            )
        return f"{row.name} {told(row)}."


class AskAgain(Deed):
    code, label, form = "ask-again", gettext_lazy("Ask it again"), ReasonForm

    def offered(self, row: Server) -> bool:
        return not circuits.is_closed(row.pk)

    def effects(self, row: Server) -> Sequence[Text]:
        return [
            _("Jobs run at %(server)s at once, without waiting for three good probes.")
            % {"server": row.name},
            _("After %(count)s troubles in a row they stop again.")
            % {"count": circuits.TROUBLES_IN_A_ROW},
        ]

    def facts(self, row: Server) -> Sequence[tuple[Text, Any]]:
        circuit = row.circuit
        return [
            (_("Not asked since"), date(circuit.opened_at)),
            (_("Why"), reasons.told(circuit.reason)),
            (_("Next probe"), date(circuit.probe_at)),
        ]

    def carry_out(self, row: Server, given: dict[str, Any], *, at: datetime, actor: str) -> Text:
        if not health.ask_again(row.pk, given["reason"], actor=actor):
            raise Impossible(_("The server is asked already."))
        return _("The server is asked again.")


class SurveyForm(DeedForm):
    tariff = forms.ModelChoiceField(
        Tariff.objects.all(),
        label=gettext_lazy("Tariff to try"),
        empty_label=gettext_lazy("without a plan"),
        required=False,
        help_text=gettext_lazy("Must exist on the server; without one no plan is tried."),
    )


class StartSurvey(Deed):
    code, label, form, guarded = "survey", gettext_lazy("Survey the API…"), SurveyForm, True

    def offered(self, row: Server) -> bool:
        return not row.surveys.filter(state__in=Survey.OPEN).exists() and circuits.is_closed(row.pk)

    def effects(self, row: Server) -> Sequence[Text]:
        return [
            _("A worker makes a throw-away account on %(server)s.") % {"server": row.name},
            _("It reads the account back, changes one field at a time, credits %(cent)s and takes "
              "it back, suspends the account and deletes it.")
            % {"cent": amount_of(1, row.currency)},
            _("Methods that are not known are tried by their documented names, on this account "
              "only."),
            _("Every request and answer is kept. The mapping stays as it is until you apply the "
              "proposal."),
        ]  # fmt: skip

    def carry_out(self, row: Server, given: dict[str, Any], *, at: datetime, actor: str) -> Text:
        tariff = given["tariff"].remote_id if given["tariff"] else ""
        try:
            with transaction.atomic():
                survey_desk.begin(row, tariff, at=at, actor=actor)
        except IntegrityError as error:
            raise Impossible(_("A survey of this server is under way already.")) from error
        except MappingError as error:
            raise Impossible(" ".join(error.problems)) from error
        return _("The survey has begun; its page shows what comes of it.")


def date(moment: datetime | None) -> str:
    return formats.date_format(timezone.localtime(moment), "DATETIME_FORMAT") if moment else EMPTY


def told(server: Server) -> Text:
    """Say what came of the last test, in the reader's words."""
    if server.checked_at is None:
        return _("not tested yet")
    if not server.check_note.startswith(servers.WORKS):
        return TROUBLES.get(server.check_note, server.check_note)
    count = len(server.roles)
    many = ngettext("works, %(count)s role", "works, %(count)s roles", count)
    return many % {"count": count} if count else _("works")
