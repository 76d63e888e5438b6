"""What time it is in the shop: the machine's time, in a demo perhaps some days later."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import F
from django.utils import timezone

from packages.models import ShopClock


def now() -> datetime:
    """Return the instant, aware UTC. Doors read it once and pass it down as `at`.

    What concerns the machine and not the shop (signs of life, the age of a signature) asks
    `timezone.now` instead. One query in a demo, none elsewhere.
    """
    return timezone.now() + timedelta(days=days_ahead())


def days_ahead() -> int:
    """Return by how many days the shop is ahead of the machine: none outside of a demo."""
    if not settings.DEMO:
        return 0
    return ShopClock.objects.values_list("days_ahead", flat=True).first() or 0


def pass_days(count: int) -> None:
    """Let so many days go by in the demo's shop; nothing is done by then, and none comes back."""
    assert settings.DEMO, "Time is moved in a demo only."
    ShopClock.objects.get_or_create(pk=1)
    ShopClock.objects.filter(pk=1).update(days_ahead=F("days_ahead") + count)
