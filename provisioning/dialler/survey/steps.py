"""The steps of a survey, in order. Each may be made again: it looks before it writes."""

from __future__ import annotations

from collections.abc import Callable

from provisioning.dialler import payloads
from provisioning.dialler.replies import NOTHING
from provisioning.dialler.scalars import as_text
from provisioning.dialler.survey import keys
from provisioning.dialler.survey.api import Said, as_field
from provisioning.dialler.survey.fields import try_fields, try_services, try_units
from provisioning.dialler.survey.money import try_credit, try_debit
from provisioning.dialler.survey.surveyor import Finding, Stopped, Surveyor

FAMILIES = ("User", "Client")
# Which role a customer's account has, by its name, the likeliest first.
CUSTOMER_ROLES = ("tenant", "client", "customer", "user")
ID_ARGUMENTS = ("user_id", "client_id", "usr_id", "id")


def roles(s: Surveyor) -> list[Finding]:
    """The list of roles: it is also the test of the connection."""
    method = s.named("roles") or "User_Role_List"
    said = s.api.ask(method, {})
    s.draft.mapping["methods"]["roles"] = method if said.yes else ""
    if not said.yes:
        return [Finding("missing", method)]
    offered = {
        str(as_text(row.get("name")) or as_text(row.get("role")) or ""): as_text(
            row.get("role_id", row.get("id"))
        )
        for row in said.records
    }
    named = [
        (name, role)
        for word in CUSTOMER_ROLES
        for name, role in offered.items()
        if role and word in name.lower()
    ]
    if named and not s.draft.mapping["role"]:
        s.draft.mapping["role"] = named[0][1]
    return [Finding("works", method)]


def lookup(s: Surveyor) -> list[Finding]:
    """How an account is looked up by its name, and how "not there" is said."""
    tried = []
    for family in _families(s):
        if family != s.draft.family:
            s.draft.speak(family)
        method = s.named("get")
        said = s.ask_by_name()
        if said.outcome == "unclear" or not said.allowed:
            tried.append(method)
            continue
        if said.yes and said.records:
            return [Finding("works", method)]
        in_words = said.outcome == "no" and said.payload not in (NOTHING, None, "")
        s.draft.mapping["lookup"]["refusal_means_absent"] = in_words
        return [*(Finding("missing", each) for each in tried), Finding("works", method)]
    raise Stopped(f"no method reads accounts: {', '.join(tried)}")


def create(s: Surveyor) -> list[Finding]:
    """The throw-away account itself. It is looked for before it is asked for, and after."""
    if s.found():
        return [Finding("works", s.named("create"))]
    tried: list[Finding] = []
    for family in _families(s):
        if family != s.draft.family:
            s.draft.speak(family)
        method = s.named("create")
        s.draft.facts["may_exist"] = True
        s.keep()
        said = s.api.ask(
            method,
            {s.draft.mapping["arguments"]["record"]: as_field(_new(s))},
            secrets=(s.account.password,),
        )
        if said.yes:
            s.draft.facts["remote_id"] = _told(s, said) or ""
        if s.found() or said.yes:
            s.draft.can("create", True)
            return [*tried, Finding("works", method)]
        tried.append(Finding("refused" if said.outcome == "no" else "missing", method))
    s.draft.can("create", False)
    raise Stopped("no method creates accounts: " + ", ".join(each.about for each in tried))


def read(s: Surveyor) -> list[Finding]:
    """The account by its id; which key shows what we sent."""
    told = s.draft.remote_id or None
    named = s.draft.id_names
    s.draft.mapping["ids"] = keys.ids_of(s.draft.record, told, named=named) or named
    s.remember(s.draft.record)
    arguments = s.draft.mapping["arguments"]
    for argument in dict.fromkeys((arguments["id"], *ID_ARGUMENTS)):
        arguments["id"] = argument
        if s.read():
            break
    else:
        raise Stopped("the account is not shown by its id")
    if told and told not in map(as_text, s.draft.record.values()):
        raise Stopped("the account that is shown has another id")
    return [Finding("works", s.named("get")), *_sent_keys(s)]


def _sent_keys(s: Surveyor) -> list[Finding]:
    """Name the keys that show the values which the create carried."""
    findings = []
    sent = {"username": s.account.username, "email": s.account.email}
    sent |= {"first_name": s.account.first_name, "last_name": s.account.last_name}
    sent |= {"role": str(s.draft.mapping["role"])}
    taken = set(s.draft.mapping["ids"])
    for name, value in sent.items():
        named = s.draft.key(name)
        key = keys.showing(value, s.draft.record, named=named, taken=taken) if value else named
        findings.append(Finding("works" if key else "unseen", f"{name}: {key or named}"))
        if key:
            s.draft.name_key(name, key)
            taken.add(key)
    s.draft.mapping["lookup"]["username_key"] = s.draft.key("username")
    return findings


def fields(s: Surveyor) -> list[Finding]:
    """One field at a time, each read back; then services and included units."""
    return [*try_fields(s), *try_services(s), *try_units(s)]


def suspend(s: Surveyor) -> list[Finding]:
    """Off and on again, by the key and the values that the server shows."""
    named = s.draft.key("active")
    taken = s.draft.taken() - {named}
    for key in keys.candidates("active", s.draft.record, named=named, taken=taken):
        for on, off in keys.switch_of(s.draft.record.get(key)):
            if s.takes(key, off) and s.takes(key, on):
                s.draft.name_key("active", key)
                s.draft.mapping["active"] = {"on": on, "off": off}
                s.draft.can("suspend", True)
                return [Finding("works", f"active: {key} = {on} / {off}")]
    s.draft.name_key("active", "")
    s.draft.can("suspend", False)
    return [Finding("missing", "active")]


def password(s: Surveyor) -> list[Finding]:
    """Another password. It cannot be read back, so a yes is all there is."""
    key, secret = s.draft.key("password"), s.account.password[::-1]
    said = s.change({key: secret}, secrets=(secret,))
    s.draft.can("set_password", said.yes)
    return [Finding("works" if said.yes else "missing", f"password: {key}")]


def listing(s: Surveyor) -> list[Finding]:
    """The list of all accounts, for audits and imports. Changes nothing."""
    own = s.named("list")
    for method in dict.fromkeys([*([own] if own else []), f"{s.draft.family}_List"]):
        shown = s.api.ask(method, {}).records
        names = {as_text(each.get(s.draft.key("username"))) for each in shown}
        if s.account.username in names:
            s.draft.mapping["methods"]["list"] = method
            return [Finding("works", method)]
    s.draft.mapping["methods"]["list"] = ""
    return [Finding("missing", method)]


def usage(s: Surveyor) -> list[Finding]:
    """Campaigns of the account: whether they are listed. Their totals need campaigns to show."""
    names = s.draft.mapping["campaigns"]
    said = s.api.ask(names["list_method"], {names["owner_arg"]: s.draft.remote_id})
    if not said.yes:
        s.draft.can("read_usage", False)
    return [Finding("works" if said.yes else "missing", names["list_method"])]


def delete(s: Surveyor) -> list[Finding]:
    """Away with it, and look that it is gone."""
    method = s.named("delete")
    if not s.found():
        s.draft.facts["may_exist"] = False
        return []
    said = s.api.ask(method, {s.draft.mapping["arguments"]["id"]: s.draft.remote_id})
    gone = not s.found() and s.ask_by_name().outcome != "unclear"
    s.draft.facts["may_exist"] = not gone
    s.draft.can("delete", gone)
    if gone:
        return [Finding("works", method)]
    return [Finding("missing" if not said.yes else "refused", method), Finding("left", "")]


STEPS: dict[str, Callable[[Surveyor], list[Finding]]] = {
    "roles": roles,
    "lookup": lookup,
    "create": create,
    "read": read,
    "fields": fields,
    "suspend": suspend,
    "credit": try_credit,
    "debit": try_debit,
    "password": password,
    "listing": listing,
    "usage": usage,
    "delete": delete,
}
LAST = "delete"


def _families(s: Surveyor) -> list[str]:
    """Return the prefixes to try: the draft's own, then the documented ones."""
    return list(dict.fromkeys((s.draft.family, *FAMILIES)))


def _new(s: Surveyor) -> dict[str, str]:
    named = {
        s.draft.key("username"): s.account.username,
        s.draft.key("password"): s.account.password,
        s.draft.key("email"): s.account.email,
        s.draft.key("first_name"): s.account.first_name,
        s.draft.key("last_name"): s.account.last_name,
        s.draft.key("role"): str(s.draft.mapping["role"]),
        s.draft.key("active"): str(s.draft.mapping["active"]["on"]),
    }
    record = {key: value for key, value in named.items() if key and value}
    return {**s.draft.mapping["create_fields"], **record}


def _told(s: Surveyor, said: Said) -> str | None:
    """Return the id that the create named, wherever it stands."""
    if not said.records:
        told = as_text(said.payload) if not isinstance(said.payload, bool) else None
        return told if told and payloads.ID.fullmatch(told) else None
    shown = keys.ids_of(said.records[0], None, named=s.draft.id_names)
    return as_text(said.records[0][shown[0]]) if shown else None
