"""Balances and use, read from the diallers by the clock. Reading changes nothing there: no job."""

import time
from datetime import UTC, datetime, timedelta

import structlog
from django.db import connection
from django.db.models import Exists, OuterRef, Q, QuerySet

from provisioning import circuits, servers, vault
from provisioning.dialler.base import Dialler, DiallerError, Mapping, MappingError
from provisioning.models import Account, Reading, Server

log = structlog.get_logger()

# A server has one turn a minute; a little less, so that a ring which comes early is no ring lost.
TURN_EVERY = timedelta(seconds=55)
TURN_SECONDS = 50
# So many accounts that could not be read end the turn: the server hangs, or is gone.
MOST_TROUBLES = 3
# Readings of every interval are kept so long; after that one a day, the last.
KEPT_FINE = timedelta(days=90)


def due(*, at: datetime) -> list[int]:
    """Return the ids of the servers that have running accounts without a reading for now; none
    that is not asked at the moment.
    """
    asked = Server.objects.exclude(pk__in=circuits.shut_out().values("server_id"))
    return [server.pk for server in asked if _unread(server, at=at).exists()]


def read_server(server_id: int, *, at: datetime) -> int:
    """Read accounts of one server for a minute at most; return how many answered.

    Each account is asked once per interval, at most `readings_a_minute` in a turn, and nobody is
    asked any more after three that failed. Speaks HTTP outside of any transaction; needs no lock.
    """
    turn = Q(read_at__isnull=True) | Q(read_at__lte=at - TURN_EVERY)
    if not Server.objects.filter(turn, pk=server_id).update(read_at=at):
        return 0
    server = Server.objects.get(pk=server_id)
    ends_at = time.monotonic() + TURN_SECONDS
    try:
        dialler = servers.connect(server, ends_at=ends_at)
    except (vault.Unsealable, MappingError) as error:
        log.warning("readings.server", server=server.pk, error=type(error).__name__)
        return 0
    read, troubles = 0, 0
    for account in _unread(server, at=at)[: server.readings_a_minute]:
        if troubles == MOST_TROUBLES or time.monotonic() > ends_at:
            break
        if troubles and not circuits.is_closed(server.pk):
            break
        answered = _read(account, dialler, at=at)
        read, troubles = read + answered, troubles + (not answered)
    return read


def latest(account: Account) -> Reading | None:
    """Return the last reading that shows a balance, None while there is none."""
    return account.readings.filter(balance_minor__isnull=False).order_by("slot").last()


def since(account: Account, start: datetime) -> list[Reading]:
    """Return the account's answered readings from that moment on, the oldest first."""
    answered = Q(balance_minor__isnull=False) | Q(units__isnull=False) | Q(used__isnull=False)
    return list(account.readings.filter(answered, at__gte=start).order_by("slot"))


def thin(*, at: datetime) -> int:
    """Delete old readings but the last of each account and day (UTC); return how many."""
    with connection.cursor() as cursor:
        cursor.execute(
            """DELETE FROM provisioning_reading r WHERE r.slot < %s AND EXISTS (
                 SELECT 1 FROM provisioning_reading later
                 WHERE later.account_id = r.account_id AND later.slot > r.slot
                   AND later.slot < date_trunc('day', r.slot, 'UTC') + interval '1 day'
                   AND (later.balance_minor IS NOT NULL OR r.balance_minor IS NULL))""",
            [at - KEPT_FINE],
        )
        return int(cursor.rowcount)


def _unread(server: Server, *, at: datetime) -> QuerySet[Account]:
    """Return the running accounts that nobody has asked about in this interval."""
    if not _shows_anything(server):
        return Account.objects.none()
    asked = Reading.objects.filter(account=OuterRef("pk"), slot=_slot(server, at))
    running = Account.objects.filter(server=server, state=Account.State.LIVE)
    return running.filter(~Exists(asked)).exclude(remote_id="").order_by("pk")


def _shows_anything(server: Server) -> bool:
    """Say whether the mapping names a balance, units, or campaigns; else nothing is asked."""
    try:
        mapping = Mapping.from_json(server.mapping, profile=server.profile)
    except MappingError:
        return False
    units = any(mapping.to_json()["units"].values())
    return bool(mapping.fields.balance) or units or mapping.capabilities.read_usage == "api"


def _slot(server: Server, at: datetime) -> datetime:
    seconds = server.reading_minutes * 60
    return datetime.fromtimestamp(int(at.timestamp()) // seconds * seconds, tz=UTC)


def _read(account: Account, dialler: Dialler, *, at: datetime) -> bool:
    """Write the row, ask, fill it in; return whether the dialler answered.

    Balance and units that were shown are kept when the campaigns cannot be read after them.
    """
    slot = _slot(account.server, at)
    reading, fresh = Reading.objects.get_or_create(account=account, slot=slot, defaults={"at": at})
    if not fresh:
        return True
    try:
        remote = dialler.get(account.remote_id)
        if remote is not None:
            reading.balance_minor = remote.balance_minor
            reading.units = None if remote.units is None else dict(remote.units)
            if dialler.capabilities["read_usage"] == "api":
                _add_usage(reading, account, dialler)
    except DiallerError as error:
        log.warning("readings.account", account=account.pk, error=type(error).__name__)
        return reading.balance_minor is not None
    finally:
        _keep(reading)
    return True


def _add_usage(reading: Reading, account: Account, dialler: Dialler) -> None:
    usage = dialler.usage(account.remote_id)
    if usage is not None:
        reading.used, reading.cost_minor = dict(usage.counts), usage.cost_minor


def _keep(reading: Reading) -> None:
    """Store what was shown; the account bears the newest balance, whoever read it."""
    reading.save(update_fields=["balance_minor", "units", "used", "cost_minor"])
    if reading.balance_minor is None:
        return
    older = Q(balance_at__isnull=True) | Q(balance_at__lt=reading.at)
    Account.objects.filter(older, pk=reading.account_id).update(
        balance_minor=reading.balance_minor, balance_at=reading.at
    )
