"""What time brings: days with their runs, days without, workers, and a dialler in trouble."""

from __future__ import annotations

from datetime import timedelta

from django.db.models import QuerySet

from billing.models import GatewayEvent
from provisioning.models import Job
from tests.walks import gateway, staff
from tests.walks.shop import Shop

# What waits for another reading is as good as due; a deletion in thirty days is not.
SOON = timedelta(days=1)


def hours_pass(shop: Shop, *, hours: int) -> bool:
    """Let time pass in which nothing runs."""
    shop.wait(timedelta(hours=hours))
    return True


def workers_work(shop: Shop, *, minutes: int) -> bool:
    shop.wait(timedelta(minutes=minutes))
    shop.work()
    return True


def days_pass(shop: Shop, *, days: int) -> bool:
    """Let days pass as they do: each with its run, and the work that follows."""
    for _ in range(days):
        shop.wait(timedelta(days=1))
        shop.run_calendar()
        shop.work()
    shop.look()
    return True


def nothing_runs(shop: Shop, *, days: int) -> bool:
    """Everything is down for some days; then there is one run for all of them."""
    shop.wait(timedelta(days=days))
    shop.run_calendar()
    shop.work()
    return True


def dialler_misbehaves(shop: Shop, *, apply: str, answer: str, times: int) -> bool:
    """Spoil the answers to the next commands, whether or not they have their effect."""
    # A yes in an odd form is still a yes: without its effect it would be a lie.
    apply = "yes" if answer == "strings" else apply
    shop.fault(method="mutating", apply=apply, answer=answer, times=times)
    return True


def dialler_is_cut_off(shop: Shop, *, cut: bool) -> bool:
    shop.wire.cut = cut
    return True


def all_ends_well(shop: Shop) -> None:
    """Take all trouble away; workers and staff finish what is due, as they always can."""
    shop.heal()
    for _ in range(40):
        shop.wait(timedelta(minutes=70))
        gateway.tells(shop, times=1, backwards=False)
        shop.work()
        waiting = GatewayEvent.objects.filter(state=GatewayEvent.State.RECEIVED)
        if not unfinished(shop).exists() and not waiting.exists():
            break
        for _parked in range(Job.objects.filter(state=Job.State.PARKED).count()):
            staff.decides_on_parked_jobs(shop, 0)
    shop.look()
    shop.work()


def unfinished(shop: Shop) -> QuerySet[Job]:
    """Return the jobs that can end by now, or soon."""
    return Job.objects.filter(state__in=Job.UNFINISHED, run_at__lte=shop.now + SOON)
