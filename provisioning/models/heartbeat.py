"""Signs of life of our own processes."""

from typing import ClassVar

from django.db import models


class Heartbeat(models.Model):
    """When a process last showed that it lives; /healthz reads it."""

    # Whose work it is that waits in a queue; a worker of several queues shows the life of each.
    WORKERS: ClassVar = {"default": "worker", "provisioning": "dialler-worker"}

    process = models.CharField(max_length=20, primary_key=True)
    at = models.DateTimeField()

    def __str__(self) -> str:
        return self.process
