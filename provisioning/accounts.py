"""Plan an account: which server, which username, which password. Nothing leaves the house here."""

import secrets
import string
from datetime import datetime

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils.text import slugify

from packages.states import record_change
from packages.sweeping import rows_written_once
from provisioning import pools, vault
from provisioning.dialler.base import AccountSpec, Limits, RemoteAccount
from provisioning.models import Account, Pool, Server, UnknownAccount

ALPHABET = string.ascii_letters + string.digits
PASSWORD_LENGTH = 16


def plan(
    person: dict[str, str],
    limits: Limits,
    pool: Pool,
    *,
    currency: str,
    at: datetime,
    actor: str,
) -> Account:
    """Insert the account as it should become; the caller adds the jobs that make it so.

    It goes to the least loaded server of the pool, or waits until one has room: then it is planned
    and not placed, and its first job places it. `person` has name, company, email, phone and
    language. Needs an open transaction, may lock the servers. Raises pools.NoServer.
    """
    server = pools.choose(pool, currency, channels=limits.channels)
    account = Account(
        server=server or pools.waiting_room(pool, currency),
        placed=server is not None,
        pool=pool,
        person=person,
        limits=limits.to_json(),
        created_at=at,
    )
    account.username = _username(person, str(account.marker.hex))
    account.password_sealed = vault.seal(_password(), purpose=password_purpose(account))
    account.save()
    record_change(account, before="", at=at, actor=actor, reason="planned")
    return account


def adopt(
    server: Server,
    remote: RemoteAccount,
    person: dict[str, str],
    limits: Limits,
    *,
    at: datetime,
    actor: str,
) -> Account:
    """Insert an account that runs at the dialler already; nothing is changed there.

    What it should be are the limits given; an audit tells where it is not. From now on it is no
    unknown account. Raises IntegrityError where it is ours already.
    """
    account = Account.objects.create(
        server=server,
        username=remote.username,
        remote_id=remote.remote_id,
        person=person,
        limits=limits.to_json(),
        state=Account.State.LIVE,
        balance_minor=remote.balance_minor,
        balance_at=None if remote.balance_minor is None else at,
        created_at=at,
    )
    record_change(account, before="", at=at, actor=actor, reason="imported")
    strange = UnknownAccount.objects.filter(server=server, remote_id=remote.remote_id)
    strange.update(gone_at=at)
    return account


def lock(account_id: int) -> Account:
    """Lock the account and return it as it is then; needs an open transaction."""
    (account,) = _locked(account_id)
    return account


def lock_for(job_id: int) -> Account:
    """Lock the account of a job and return it as it is then; needs an open transaction."""
    (account,) = _locked_for(job_id)
    return account


def with_server(account: Account) -> Account:
    """Return the account, its server as it is now along with it."""
    (account.server,) = _server_with_id(account.server_id)
    return account


@rows_written_once
def _locked(account_id: int) -> QuerySet[Account]:
    return Account.objects.filter(pk=account_id).select_for_update()


@rows_written_once
def _locked_for(job_id: int) -> QuerySet[Account]:
    return Account.objects.filter(jobs=job_id).select_for_update(of=("self",))


@rows_written_once
def _server_with_id(server_id: int) -> QuerySet[Server]:
    return Server.objects.filter(pk=server_id)


def place(account: Account, *, at: datetime, actor: str) -> bool:
    """Give an account that waits for room its server, if one has room now; return whether.

    Needs the account's lock, may lock the servers; nothing was sent for it yet.
    """
    assert account.pool is not None, "Only an account of a pool waits for room (constraint)."
    channels = Limits.from_json(account.limits).channels
    server = pools.choose(account.pool, account.server.currency, channels=channels)
    if server is None:
        return False
    account.server, account.placed = server, True
    try:
        with transaction.atomic():
            account.save(update_fields=["server", "placed"])
    except IntegrityError:
        rename(account)
    reason = f"placed on {server}"
    record_change(account, before=account.state, at=at, actor=actor, reason=reason)
    return True


def rename(account: Account) -> None:
    """Take another username because somebody else has this one; needs the account's lock.

    Only before the dialler ever saw a create command of ours: afterwards the name is a fact there.
    """
    for _ in range(20):
        account.username = _username(account.person, secrets.token_hex(8))
        try:
            with transaction.atomic():
                account.save(update_fields=["username", "server", "placed"])
            return
        except IntegrityError:
            continue
    raise IntegrityError("No free username was found in twenty tries.")


def spec_of(account: Account, *, role: str = "") -> AccountSpec:
    """Return what the dialler is told about a new account, with the server's role unless named."""
    limits = Limits.from_json(account.limits)
    first, _, last = account.person["name"].partition(" ")
    return AccountSpec(
        username=account.username,
        email=account.person["email"],
        first_name=first,
        last_name=last,
        company=account.person.get("company", ""),
        phone=account.person.get("phone", ""),
        language=account.person.get("language", "en"),
        tariff=limits.tariff,
        channels=limits.channels,
        services=limits.services,
        role=role or account.server.default_role,
        units=limits.units,
    )


def password_of(account: Account) -> str | None:
    """Return the first password while it has not been handed over yet."""
    if account.password_sealed is None:
        return None
    return vault.unseal(account.password_sealed, purpose=password_purpose(account))


def password_purpose(account: Account) -> str:
    return f"account-password:{account.marker}"


def _username(person: dict[str, str], seed: str) -> str:
    """Readable, and random enough that a match at the dialler is not by chance."""
    stem = slugify(person.get("company") or person["name"]).replace("-", "")[:12] or "account"
    return f"{stem}-{seed[:6]}"


def _password() -> str:
    return "".join(secrets.choice(ALPHABET) for _ in range(PASSWORD_LENGTH))
