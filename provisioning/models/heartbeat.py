"""Signs of life of our own processes."""

from datetime import datetime
from typing import ClassVar

from django.db import models


class Heartbeat(models.Model):
    """When a process last showed that it lives; /healthz reads it."""

    # Whose work it is that waits in a queue; a worker of several queues shows the life of each.
    WORKERS: ClassVar = {"default": "worker", "provisioning": "dialler-worker"}

    process = models.CharField(max_length=20, primary_key=True)
    at = models.DateTimeField()

    @classmethod
    def show(cls, process: str, *, at: datetime) -> None:
        """Write that the process lives, in one statement that commits by itself.

        In a transaction, a process that stands still would hold the row that others write as well.
        """
        if not cls.objects.filter(process=process).update(at=at):
            cls.objects.get_or_create(process=process, defaults={"at": at})

    def __str__(self) -> str:
        return self.process
