"""The product's Celery application with leases and pauses as short as these tests.

`celery -A tests.chaos.worker worker`; nothing else differs from `-A config`.
"""

from __future__ import annotations

import os
from datetime import timedelta

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
django.setup()

from billing import deliveries  # noqa: E402
from config import ticker  # noqa: E402
from config.celery import app as app  # noqa: E402
from provisioning import circuits, outcomes, runner  # noqa: E402

runner.LEASE_MARGIN = timedelta(seconds=1)
deliveries.LEASE = timedelta(seconds=10)
outcomes.BACKOFF_CAP_SECONDS = 5
circuits.FIRST_PAUSE, circuits.LONGEST_PAUSE = timedelta(seconds=1), timedelta(seconds=4)
ticker.TICK_SECONDS, ticker.DEAF_AFTER = 0.5, timedelta(seconds=3)
