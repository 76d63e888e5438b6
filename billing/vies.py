"""The tax offices' register of VAT ids (VIES), behind one question.

REST: https://ec.europa.eu/taxation_customs/vies/#/technical-information
"""

from dataclasses import dataclass
from typing import Any, Protocol

import requests
from django.conf import settings

TIMEOUT_SECONDS = 15
# An error, but one that says that the number cannot exist.
NOT_A_NUMBER = "INVALID_INPUT"


@dataclass(frozen=True, slots=True)
class Answer:
    """What the register says; `consultation` proves that it was asked."""

    valid: bool
    consultation: str = ""
    name: str = ""
    address: str = ""
    simulated: bool = False


class NoAnswer(Exception):
    """Nobody answered, or a member state's own register is away: nothing is known."""


class Register(Protocol):
    """Whoever knows which VAT ids are registered."""

    def ask(self, vat_id: str, *, requester: str) -> Answer:
        """Ask about an id in the seller's name. May speak HTTP: hold no lock. Raises NoAnswer."""
        ...


def register() -> Register:
    """Return the register of this installation: a demo has one that asks nobody."""
    return SimulatedVies() if settings.DEMO else Vies(settings.VIES_URL)


class Vies:
    """Asks the European Commission."""

    def __init__(self, url: str) -> None:
        self._url = url

    def ask(self, vat_id: str, *, requester: str) -> Answer:
        asked = {"countryCode": vat_id[:2], "vatNumber": vat_id[2:]}
        if requester:
            asked |= {"requesterMemberStateCode": requester[:2], "requesterNumber": requester[2:]}
        try:
            with requests.Session() as session:
                answer = session.post(
                    self._url, json=asked, timeout=TIMEOUT_SECONDS, allow_redirects=False
                )
                said = answer.json()
        except (requests.RequestException, RecursionError) as error:
            raise NoAnswer(type(error).__name__) from error
        return _read(said)


class SimulatedVies:
    """Takes every id that is well formed for registered; its rows say so."""

    def ask(self, vat_id: str, *, requester: str) -> Answer:
        return Answer(True, f"DEMO-{vat_id}", simulated=True)


def _read(said: Any) -> Answer:
    """An answer is one only with a clear yes or no; everything else is none."""
    if not isinstance(said, dict):
        raise NoAnswer("no object")
    valid = said.get("valid")
    if isinstance(valid, bool) and said.get("actionSucceed") is not False:
        return Answer(
            valid, _text(said, "requestIdentifier"), _text(said, "name"), _text(said, "address")
        )
    errors = [each.get("error") for each in said.get("errorWrappers") or [] if _is_object(each)]
    if errors == [NOT_A_NUMBER]:
        return Answer(valid=False)
    raise NoAnswer(", ".join(str(each) for each in errors)[:200] or "no yes and no no")


def _is_object(each: Any) -> bool:
    return isinstance(each, dict)


def _text(said: dict[str, Any], name: str) -> str:
    """The register writes --- for what a member state keeps to itself."""
    text = " ".join(str(said.get(name) or "").split())
    return "" if set(text) <= {"-"} else text
