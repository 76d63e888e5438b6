"""`manage.py test_alert`: send a test by every channel now, and say what came of it."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.urls import reverse
from django.utils import timezone

from billing import alert_posts, alerts
from billing.models import Alert, AlertMessage


class Command(BaseCommand):
    help = "Send a test alert by mail and, where one is set up, by webhook."

    def handle(self, *args: Any, **options: Any) -> None:
        at = timezone.now()
        alert = Alert.objects.create(
            kind=Alert.Kind.TEST,
            cause=f"test-{at:%Y%m%dT%H%M%S%f}",
            path=reverse("admin:index"),
            found_at=at,
            seen_at=at,
            told_at=at,
            resolved_at=at,
        )
        unsent = 0
        for message in alerts.tell(alert, AlertMessage.News.RAISED, at=at):
            alert_posts.send(message, at=at, now=at)
            message.refresh_from_db()
            sent = message.state == AlertMessage.State.SENT
            told = "sent" if sent else f"not sent ({message.error}); tried again by the workers"
            self.stdout.write(f"{message.channel}: {told}")
            unsent += not sent
        if unsent:
            raise CommandError("A test alert was not sent.")
