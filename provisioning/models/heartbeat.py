"""Signs of life of our own processes."""

from django.db import models


class Heartbeat(models.Model):
    """When a process last showed that it lives; /healthz reads it."""

    process = models.CharField(max_length=20, primary_key=True)
    at = models.DateTimeField()

    def __str__(self) -> str:
        return self.process
