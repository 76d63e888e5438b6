"""How to talk to a server, and whether it answers."""

import math
from datetime import datetime
from ipaddress import ip_network
from typing import cast

from django.conf import settings

from provisioning import circuits, vault
from provisioning.dialler.base import Auth, Dialler, DiallerError, Endpoint, Profile
from provisioning.dialler.http import HttpDialler
from provisioning.dialler.mapping import Mapping
from provisioning.dialler.reach import Reach
from provisioning.models import Server

SECRET = "server-secret"
WORKS = "works"
# Notes of a test that got no answer; after the others somebody is there, but something is wrong.
UNANSWERED = ("NotSent", "Unknown", "Unsealable")


def connect(server: Server, *, ends_at: float = math.inf) -> Dialler:
    """Return a client for the server; speaks to nobody yet. Raises vault.Unsealable.

    After `ends_at` (monotonic clock) no byte leaves any more: whoever waits for that moment can
    rely on it, even if this process was stopped in between and wakes up later.
    """
    return HttpDialler(endpoint(server, ends_at=ends_at), post=circuits.Line(server))


def endpoint(
    server: Server, *, ends_at: float = math.inf, mapping: Mapping | None = None
) -> Endpoint:
    """Return everything needed to talk to the server, by another mapping where one is given.

    Raises vault.Unsealable and MappingError.
    """
    return Endpoint(
        base_url=server.base_url,
        profile=cast(Profile, server.profile),
        auth=cast(Auth, server.auth),
        username=server.username,
        secret=vault.unseal(server.secret_sealed, purpose=SECRET),
        mapping=mapping or Mapping.from_json(server.mapping, profile=server.profile),
        currency=server.currency,
        connect_timeout_seconds=server.connect_timeout_seconds,
        read_timeout_seconds=server.read_timeout_seconds,
        ca_file=server.ca_file or None,
        reach=reach(),
        ends_at=ends_at,
    )


def reach() -> Reach:
    """Return which addresses this shop's diallers may have, as the environment says."""
    return Reach(
        hosts=tuple(settings.DIALLER_HOSTS),
        networks=tuple(ip_network(each) for each in settings.DIALLER_NETWORKS),
        plain_http=settings.DIALLER_PLAIN_HTTP,
    )


def check(server: Server, *, at: datetime) -> bool:
    """Ask the dialler for its roles, keep what came of it on the server's row, say if it works.

    Speaks HTTP; needs no lock. The note names the kind of trouble, never the dialler's own words.
    """
    try:
        roles = connect(server).check()
        server.check_note = f"{WORKS}, {len(roles)} roles" if roles else WORKS
        server.roles = [[each.remote_id, each.name] for each in roles]
        works = True
    except (DiallerError, vault.Unsealable) as error:
        server.check_note = type(error).__name__
        works = False
    server.checked_at = at
    server.save(update_fields=["checked_at", "check_note", "roles"])
    return works


def administers(role: str) -> bool:
    """Say whether a server named this role after its administrators when last tested."""
    return _is_administrators(roles_known().get(role, ""))


def administers_by_default(server: Server, role: str | None = None) -> bool:
    """Say whether accounts get a role of administrators there, unless their package names one; or
    would, with another role as the default.
    """
    role = server.default_role if role is None else role
    return _is_administrators(roles_of(server).get(role, ""))


def _is_administrators(name: str) -> bool:
    """ICTBroadcast's own is called "Administrator" (its list of roles, docs/dialler-api.md)."""
    return "admin" in name.casefold()


def roles_of(server: Server) -> dict[str, str]:
    """Return the names of the roles that the server named when last tested, by id."""
    return {str(remote_id): str(name) for remote_id, name in server.roles}


def roles_known() -> dict[str, str]:
    """Return the names of the roles that the servers named when last tested, by id."""
    known = Server.objects.filter(active=True).order_by("pk")
    return {role: name for server in known for role, name in roles_of(server).items()}
