"""What staff decide about surveys: begin one, take its mapping, deal with the account it left."""

import secrets
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from packages.desk import Impossible
from packages.doorbell import ring
from packages.states import record_change
from provisioning import surveys, tasks, vault
from provisioning.dialler.mapping import Mapping, MappingError, beyond_defaults
from provisioning.dialler.survey.steps import LAST
from provisioning.models import Server, Survey


def begin(server: Server, tariff: str, *, at: datetime, actor: str) -> Survey:
    """Insert a survey for a worker to make; needs an open transaction, rings after commit.

    Raises IntegrityError while the server has an open one, and MappingError.
    """
    mapping = Mapping.from_json(server.mapping, profile=server.profile)
    survey = Survey.objects.create(
        server=server,
        username=f"survey-{secrets.token_hex(4)}",
        tariff=tariff,
        mapping_before=server.mapping,
        mapping=mapping.to_json(),
        actor=actor,
        created_at=at,
        run_at=at,
    )
    survey.password_sealed = vault.seal(secrets.token_urlsafe(12), purpose=surveys.purpose(survey))
    survey.save(update_fields=["password_sealed"])
    record_change(survey, before="", at=at, actor=actor, reason="begun")
    ring(tasks.run_survey, survey.pk)
    return survey


def clean_up_again(survey: Survey, *, at: datetime, actor: str) -> None:
    """Let a worker try once more to delete the account that is left."""
    with surveys.held(survey.pk, states=(Survey.State.LEFT,)) as held:
        held.findings.pop(LAST, None)
        held.run_at, held.tries, held.finished_at = at, 0, None
        also = ("findings", "run_at", "tries", "finished_at")
        held.move(Survey.State.WAITING, at=at, actor=actor, reason="clean up again", also=also)
        ring(tasks.run_survey, held.pk)


def gone(survey: Survey, proof: str, *, at: datetime, actor: str) -> None:
    """Close a survey whose account a person deleted, with what they saw."""
    with surveys.held(survey.pk, states=(Survey.State.LEFT,)) as held:
        held.facts["may_exist"] = False
        held.move(
            Survey.State.DONE, at=at, actor=actor, reason=f"by hand: {proof}", also=("facts",)
        )


def complete(mapping: dict[str, Any], server: Server) -> dict[str, Any]:
    """Return a stored mapping with the defaults it leaves out; only these if it is broken."""
    try:
        return Mapping.from_json(mapping, profile=server.profile).to_json()
    except MappingError:
        return Mapping.from_json({}, profile=server.profile).to_json()


def proposal(survey: Survey) -> dict[str, Any]:
    """Return what the server's mapping should say: what differs from its profile's defaults.

    Raises MappingError where the survey came to nothing that can be used.
    """
    mapping = Mapping.from_json(survey.mapping, profile=survey.server.profile)
    return beyond_defaults(mapping, survey.server.profile)


def apply(survey: Survey, *, at: datetime) -> None:
    """Give the server the proposed mapping; raise Impossible where that is another one since.

    One conditional UPDATE, so that nobody's edit is lost. Raises MappingError.
    """
    with transaction.atomic():
        unchanged = Server.objects.filter(pk=survey.server_id, mapping=survey.mapping_before)
        if not unchanged.update(mapping=proposal(survey)):
            raise Impossible(_("The mapping was changed since the survey began. Make another one."))
        Survey.objects.filter(pk=survey.pk).update(applied_at=at)
