"""The steps that try one field after the other, and read each back."""

from __future__ import annotations

from provisioning.dialler.scalars import as_text
from provisioning.dialler.survey import keys
from provisioning.dialler.survey.surveyor import Finding, Surveyor
from provisioning.dialler.values import SERVICES

TEXTS = {
    "phone": "+49301234567",
    "company": "Survey Ltd",
    "language": "en",
    "marker": "survey-marker-1",
}
CHANNELS = ("2", "3")
UNITS = "7"
SERVICE_LIST = "voice,sms"


def try_fields(s: Surveyor) -> list[Finding]:
    """Find the keys of texts, channels and tariff, and what an update resets that it lacks."""
    findings = []
    wanted = {**TEXTS, "channels": "", "tariff": s.account.tariff}
    for name, value in wanted.items():
        if name == "tariff" and not value:
            continue
        key = _key_of(s, name, value)
        s.draft.name_key(name, key)
        findings.append(Finding("works" if key else "missing", f"{name}: {key}".rstrip(": ")))
    s.draft.can("set_limits", bool(s.draft.key("tariff") and s.draft.key("channels")))
    return [*findings, *_resets(s)]


def _key_of(s: Surveyor, name: str, value: str) -> str:
    """Return the first key that takes the value and shows it, empty if none does."""
    named = s.draft.key(name)
    taken = s.draft.taken() - {named}
    for key in keys.candidates(name, s.draft.record, named=named, taken=taken):
        shown = as_text(s.draft.record.get(key))
        values = CHANNELS if name == "channels" else (value,)
        other = next((each for each in values if each != shown), value)
        if s.takes(key, other):
            return key
    return ""


def _resets(s: Surveyor) -> list[Finding]:
    """Write one key alone: what else changes must be sent back with every update."""
    phone = s.draft.key("phone") or s.draft.key("first_name")
    before = s.draft.record
    s.change({phone: as_text(before.get(phone)) or ""}, bare=True)
    after = s.read()
    lost = [key for key, value in before.items() if key in after and after[key] != value]
    s.change({key: before[key] for key in lost})
    s.read()
    unknown = [key for key in lost if key not in s.draft.taken()]
    kept = s.draft.mapping["keep"]
    s.draft.mapping["keep"] = [*kept, *(key for key in unknown if key not in kept)]
    return [Finding("resets", ", ".join(lost))] if lost else []


def try_services(s: Surveyor) -> list[Finding]:
    """Allowed services: a flag for each, or one key with a list of them."""
    flags = keys.service_flags(s.draft.record, SERVICES, s.draft.taken())
    if flags and all(_toggles(s, key) for key in flags.values()):
        s.draft.mapping["services"] |= {"encoding": "flags", "key": "", **flags}
        return [Finding("works", "services: " + ", ".join(flags.values()))]
    named = s.draft.mapping["services"]["key"]
    likely = [key for key in s.draft.record if "service" in key.lower() and key != named]
    for key in [*([named] if named in s.draft.record else []), *likely]:
        if s.takes(key, SERVICE_LIST):
            words = {each: each for each in SERVICES}
            listed = {"encoding": "list", "key": key, "separator": ","}
            s.draft.mapping["services"] |= {**listed, **words}
            return [Finding("works", f"services: {key}")]
    s.draft.mapping["services"] |= {"encoding": "none", "key": ""}
    return [Finding("missing", "services")]


def _toggles(s: Surveyor, key: str) -> bool:
    shown = as_text(s.draft.record.get(key)) or "0"
    other = "0" if shown == "1" else "1"
    return s.takes(key, other) and s.takes(key, shown)


def try_units(s: Surveyor) -> list[Finding]:
    """Included units: a key for each service that has one."""
    known = {each: key for each, key in s.draft.mapping["units"].items() if key in s.draft.record}
    guessed = keys.unit_keys(s.draft.record, SERVICES, s.draft.taken() - set(known.values()))
    found = {each: key for each, key in (guessed | known).items() if s.takes(key, UNITS)}
    s.draft.mapping["units"] = {each: found.get(each, "") for each in SERVICES}
    return [
        Finding(
            "works" if found else "missing", ("units: " + ", ".join(found.values())).rstrip(": ")
        )
    ]
