"""The Celery application and the whole beat table. Rows are the queue; these only look for them."""

import os
from typing import Any

from celery import Celery
from kombu.transport import TRANSPORT_ALIASES

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
TRANSPORT_ALIASES["redis"] = "config.broker:Transport"

app = Celery("castfront")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
# Tasks that live beside the rows they work on, below the module that rings for them.
app.autodiscover_tasks(["billing"], related_name="deliveries")
app.autodiscover_tasks(["billing"], related_name="charges")
app.autodiscover_tasks(["billing"], related_name="refunds")
app.autodiscover_tasks(["billing"], related_name="statement_files")
app.autodiscover_tasks(["billing"], related_name="vat_ids")

# Every entry is level-triggered: it finds all that should be and is not, and may run twice at once.
BEAT: dict[str, dict[str, Any]] = {
    # Gateway events whose doorbell nobody heard, and those due for another attempt.
    "sweep_events": {"task": "billing.tasks.sweep_events", "schedule": 15.0},
    # Open payments: asks the gateway, so that a lost webhook costs minutes and no money.
    "sweep_payments": {"task": "billing.tasks.sweep_payments", "schedule": 30.0},
    # Visits to keep a method, and removed methods that their gateway still knows.
    "sweep_methods": {"task": "billing.tasks.sweep_methods", "schedule": 120.0},
    # Refunds that wait, or whose answer was lost.
    "sweep_refunds": {"task": "billing.tasks.sweep_refunds", "schedule": 60.0},
    # Bank statements that wait to be read, and entries that wait to be booked.
    "sweep_statements": {"task": "billing.tasks.sweep_statements", "schedule": 30.0},
    # VAT ids that nobody has answered for, or not for long.
    "sweep_vat_ids": {"task": "billing.tasks.sweep_vat_ids", "schedule": 300.0},
    # The gateways' payments of the last 72 hours held against ours.
    "compare_gateways": {"task": "billing.tasks.compare_gateways", "schedule": 3600.0},
    # The gateways' own statements: fees and payouts; reading one twice books nothing twice.
    "reconcile_gateways": {"task": "billing.tasks.reconcile_gateways", "schedule": 21_600.0},
    # Mail that waits.
    "sweep_data_exports": {
        "task": "billing.tasks.sweep_data_exports",
        "schedule": 300.0,
    },
    "sweep_mails": {"task": "billing.tasks.sweep_mails", "schedule": 15.0},
    # Jobs for the dialler that wait, are due again, or were left by a worker that died.
    "sweep_jobs": {"task": "provisioning.tasks.sweep_jobs", "schedule": 15.0},
    # Running accounts whose balance and use nobody has read in this interval.
    "sweep_readings": {"task": "provisioning.tasks.sweep_readings", "schedule": 60.0},
    # Readings that are new: whose included units or credit run out is told.
    "weigh_readings": {"task": "billing.tasks.weigh_readings", "schedule": 60.0},
    # The day's audit of every server, and those that staff asked for, until they are finished.
    "sweep_audits": {"task": "provisioning.tasks.sweep_audits", "schedule": 60.0},
    # Old readings; one a day is kept.
    "thin_readings": {"task": "provisioning.tasks.thin_readings", "schedule": 21_600.0},
    # Balances that fell below what their customers chose: mails, and automatic top-ups.
    "watch_balances": {"task": "billing.tasks.watch_balances", "schedule": 60.0},
    # The day's run, once: renewals to invoice, cancelled services that end, invoices to dun.
    "bill_due": {"task": "billing.tasks.bill_due", "schedule": 300.0},
    # The invariants, once an hour.
    "check_invariants": {"task": "billing.tasks.check_invariants", "schedule": 300.0},
    # Tests the diallers.
    "check_servers": {"task": "provisioning.tasks.check_servers", "schedule": 30.0},
    # Shows /healthz that beat reaches a worker.
    "beat_heartbeat": {"task": "provisioning.tasks.beat_heartbeat", "schedule": 5.0},
}
# A tick that waited longer than this has been overtaken by the next one.
for _entry in BEAT.values():
    _entry["options"] = {"expires": 60}
app.conf.update(beat_schedule=BEAT)

from config import ticker as ticker  # noqa: E402 - connects itself to the worker's start
from config import watcher as watcher  # noqa: E402 - as well, and to that of beat
