"""A process that bills the benchmark's day, as a worker would."""

from __future__ import annotations

import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
django.setup()

from billing import renewals  # noqa: E402
from tests.bench.measuring import AT, ON  # noqa: E402

if __name__ == "__main__":
    renewals.bill(ON, at=AT)
