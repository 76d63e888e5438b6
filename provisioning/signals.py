"""The product's only signal of its own: news that travels up, to billing."""

from django.dispatch import Signal

# Sent inside the transaction that finishes or parks a job, with `job` and `at` (aware UTC).
# Received in billing/receivers.py; an exception there undoes the finish, and the job is retried.
job_finished = Signal()
