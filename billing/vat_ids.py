"""VAT ids: checked by their own arithmetic at once, and by the tax offices' register in time.

Reverse charge needs a registered id. While nobody knows yet, VAT is charged; an answer changes only
what is invoiced afterwards.
"""

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta

import structlog
from celery import shared_task
from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef
from stdnum.eu import vat
from stdnum.exceptions import ValidationError as NotANumber

from billing import emails, vies
from billing.models import Brand, Customer, VatCheck, brand_if_any, current_brand
from packages import clock
from packages.doorbell import ring
from packages.states import record_change

log = structlog.get_logger()

# The member states' ISO codes; Greece's VAT ids begin with EL, its country code is GR.
EU = frozenset(
    "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK".split()  # noqa: SIM905
)
PREFIXES = {"GR": "EL"}
# An answer is renewed after `settings.VIES_DAYS`; until then and so long it counts.
GRACE = timedelta(days=14)
# Whoever was told no may have cleared it up: the next time they save it, it is asked about again.
NO_STANDS = timedelta(hours=1)
FIRST_PAUSE = timedelta(minutes=1)
LAST_PAUSE = timedelta(hours=6)
BATCH = 500
ACTOR = "system:vies"


class NotAVatId(Exception):
    """The id's own digits do not fit."""


class OtherCountry(Exception):
    """The id belongs to another member state than the address."""


@shared_task
def check_vat_id(check_id: int) -> None:
    """Ask about one VAT id."""
    check(check_id, at=clock.now())


def well_formed(text: str, country: str) -> str:
    """Return the id in its compact form; outside the EU as typed. Speaks to nobody.

    Raises NotAVatId, OtherCountry.
    """
    text = "".join(text.upper().split())
    if not text or country not in EU:
        return text
    try:
        number = str(vat.validate(text))
    except NotANumber:
        raise NotAVatId from None
    if number[:2] != PREFIXES.get(country, country):
        raise OtherCountry
    return number


def matters(customer: Customer, brand: Brand) -> bool:
    """Say whether the customer's VAT id decides about the tax: a business elsewhere in the EU."""
    abroad = customer.country != brand.country and customer.country in EU
    return abroad and customer.is_business and bool(customer.vat_id)


def proven(ids: Iterable[str], *, on: date) -> frozenset[str]:
    """Return which of these ids count as registered on that day; one query, none without ids.

    Where the shop does not ask for a proof (`settings.VIES_REQUIRED`), all of them.
    """
    wanted = frozenset(ids)
    if not wanted or not settings.VIES_REQUIRED:
        return wanted
    since = datetime.combine(on, time.min, tzinfo=UTC) - _renewed_after() - GRACE
    rows = VatCheck.objects.filter(vat_id__in=wanted, answered_at__gte=since)
    latest = rows.order_by("vat_id", "-answered_at").distinct("vat_id")
    states = dict(latest.values_list("vat_id", "state"))
    return frozenset(each for each, state in states.items() if state == VatCheck.State.VALID)


def standing(vat_id: str) -> str:
    """Return the state of the latest check of an id, empty when it was never asked about."""
    latest = VatCheck.objects.filter(vat_id=vat_id).order_by("-id").first()
    return latest.state if latest else ""


def ask(customer: Customer, brand: Brand, *, at: datetime) -> None:
    """See that the register is asked about the customer's id, if that decides about the tax.

    An answer that is young enough is not asked for again. Stores a row and rings after commit.
    """
    if matters(customer, brand):
        _ask(customer.vat_id, at=at)


def renew(*, at: datetime) -> None:
    """Ask about all ids that decide about the tax and have no answer, or an old one."""
    brand = brand_if_any()
    if brand is None:
        return
    fresh = VatCheck.objects.filter(
        vat_id=OuterRef("vat_id"), answered_at__gte=at - _renewed_after()
    )
    waiting = VatCheck.objects.filter(vat_id=OuterRef("vat_id"), state=VatCheck.State.WAITING)
    rows = Customer.objects.filter(~Exists(fresh), ~Exists(waiting), is_business=True)
    rows = rows.filter(country__in=EU).exclude(country=brand.country).exclude(vat_id="")
    for vat_id in rows.values_list("vat_id", flat=True).distinct()[:BATCH]:
        _ask(vat_id, at=at)


def check(check_id: int, *, at: datetime) -> VatCheck:
    """Ask the register about an id whose time has come; return the row as it is afterwards.

    Claims the row, then speaks HTTP outside of any transaction. Without an answer it is asked
    again, later each time. A customer whose id is not registered is told what to do.
    """
    row = VatCheck.objects.get(pk=check_id)
    pause = min(LAST_PAUSE, FIRST_PAUSE * 2 ** min(row.attempts, 10))
    mine = VatCheck.objects.filter(
        pk=check_id, state=VatCheck.State.WAITING, next_attempt_at__lte=at, attempts=row.attempts
    )
    if not mine.update(next_attempt_at=at + pause, attempts=row.attempts + 1):
        return row
    try:
        answer = vies.register().ask(row.vat_id, requester=current_brand().vat_id)
    except vies.NoAnswer as error:
        log.warning("vies.no_answer", check=check_id, error=str(error))
        VatCheck.objects.filter(pk=check_id).update(note=str(error)[:200])
    else:
        _record(check_id, answer, at=at)
    return VatCheck.objects.get(pk=check_id)


def waiting(*, at: datetime) -> list[int]:
    """Return the checks whose doorbell nobody heard, and those due for another attempt."""
    rows = VatCheck.objects.filter(state=VatCheck.State.WAITING, next_attempt_at__lte=at)
    return list(rows.order_by("next_attempt_at").values_list("pk", flat=True)[:BATCH])


def _ask(vat_id: str, *, at: datetime) -> None:
    answers = VatCheck.objects.filter(vat_id=vat_id, answered_at__isnull=False)
    latest = answers.order_by("-answered_at").first()
    if latest is not None:
        stands = _renewed_after() if latest.state == VatCheck.State.VALID else NO_STANDS
        if latest.answered_at is not None and latest.answered_at > at - stands:
            return
    try:
        with transaction.atomic():
            row = VatCheck.objects.create(vat_id=vat_id, created_at=at, next_attempt_at=at)
            record_change(row, before="", at=at, actor=ACTOR, reason="asked")
    except IntegrityError:
        # It is being asked about already; the unique key decides.
        return
    ring(check_vat_id, row.pk)


def _record(check_id: int, answer: vies.Answer, *, at: datetime) -> None:
    with transaction.atomic():
        row = VatCheck.objects.select_for_update().get(pk=check_id)
        if row.state != VatCheck.State.WAITING:
            return
        row.consultation, row.name = answer.consultation[:60], answer.name[:200]
        row.address, row.simulated = answer.address[:300], answer.simulated
        row.answered_at, row.next_attempt_at, row.note = at, None, ""
        state = VatCheck.State.VALID if answer.valid else VatCheck.State.INVALID
        also = (
            *("consultation", "name", "address", "simulated"),
            *("answered_at", "next_attempt_at", "note"),
        )
        row.move(state, at=at, actor=ACTOR, reason=answer.consultation or "answered", also=also)
        if not answer.valid:
            _tell(row, at=at)


def _tell(row: VatCheck, *, at: datetime) -> None:
    brand = current_brand()
    for customer in Customer.objects.filter(vat_id=row.vat_id).order_by("pk"):
        if matters(customer, brand):
            emails.vat_id_invalid(customer, row, at=at)


def _renewed_after() -> timedelta:
    return timedelta(days=settings.VIES_DAYS)
