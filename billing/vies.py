"""The tax offices' register of VAT ids (VIES), behind one question.

REST: https://ec.europa.eu/taxation_customs/vies/#/technical-information, POST check-vat-number.
What clients in public repositories have seen of it (read 2026-11-28): its errors come with status
200 as well, as `{"actionSucceed": false, "errorWrappers": [{"error": …}]}`, e.g. MS_UNAVAILABLE,
MS_MAX_CONCURRENT_REQ, or INVALID_REQUESTER_INFO for the seller's own id; half a requester is
VOW-ERR-11 with status 400; a `userError` beside `valid: false` is no answer either.
"""

from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Protocol

import requests
from django.conf import settings

TIMEOUT_SECONDS = 15
# An error, but one that says that the number cannot exist.
NOT_A_NUMBER = "INVALID_INPUT"
# What `userError` says where there was no error.
NO_ERROR = {"", "VALID", "INVALID"}


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
        # As people write it, with blanks or dots, it would be refused.
        own = "".join(filter(str.isalnum, requester)).upper()
        if own:
            asked |= {"requesterMemberStateCode": own[:2], "requesterNumber": own[2:]}
        try:
            with requests.Session() as session:
                answer = session.post(
                    self._url,
                    json=asked,
                    headers={"Accept": "application/json"},
                    timeout=TIMEOUT_SECONDS,
                    allow_redirects=False,
                )
                said = answer.json()
        except (requests.RequestException, RecursionError) as error:
            raise NoAnswer(type(error).__name__) from error
        return _read(said, answer.status_code)


class SimulatedVies:
    """Takes every id that is well formed for registered; its rows say so."""

    def ask(self, vat_id: str, *, requester: str) -> Answer:
        return Answer(True, f"DEMO-{vat_id}", simulated=True)


def _read(said: Any, status: int) -> Answer:
    """An answer is one only with a clear yes or no; everything else is none."""
    if not isinstance(said, dict):
        raise NoAnswer(f"no object (HTTP {status})")
    errors = _errors(said)
    if errors == [NOT_A_NUMBER]:
        return Answer(valid=False)
    valid = said.get("valid")
    if errors or status != HTTPStatus.OK or not isinstance(valid, bool):
        raise NoAnswer(", ".join(errors)[:200] or f"no yes and no no (HTTP {status})")
    return Answer(
        valid, _text(said, "requestIdentifier"), _text(said, "name"), _text(said, "address")
    )


def _errors(said: dict[str, Any]) -> list[str]:
    """Return the codes of what went wrong, wherever they are told."""
    wrapped = said.get("errorWrappers")
    rows = wrapped if isinstance(wrapped, list) else []
    errors = [str(each.get("error")) for each in rows if isinstance(each, dict)]
    told = str(said.get("userError") or "")
    if told not in NO_ERROR:
        errors.append(told)
    if said.get("actionSucceed") is False and not errors:
        errors.append("failed without a reason")
    return errors


def _text(said: dict[str, Any], name: str) -> str:
    """The register writes --- for what a member state keeps to itself."""
    text = " ".join(str(said.get(name) or "").split())
    return "" if set(text) <= {"-"} else text
