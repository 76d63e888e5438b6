"""What billing does when a job at the dialler has ended: the customer's mails."""

from datetime import datetime
from typing import Any

from billing import credits, service_emails
from packages.money import Money
from provisioning import accounts, outcomes
from provisioning.models import Account, Job
from provisioning.signals import job_finished


def connect() -> None:
    job_finished.connect(on_job_finished, dispatch_uid="billing")


def on_job_finished(sender: type[Job], job: Job, at: datetime, **_: Any) -> None:
    """Runs inside the transaction that ends the job, so the mail is stored if and only if it
    ended.
    """
    account = job.account
    if job.state == Job.State.DONE and job.kind in (Job.Kind.CREDIT, Job.Kind.TAKE_BACK):
        credits.book(job, at=at)
    if account.password_sealed is not None:
        return _hand_over(account, job, at=at)
    if job.kind == Job.Kind.CREDIT and job.state == Job.State.DONE:
        assert job.amount_minor is not None
        amount = Money(job.amount_minor, job.currency)
        customer = account.subscription.customer
        service_emails.topped_up(account, customer, amount, cause=job.cause, at=at)
    return None


def _hand_over(account: Account, job: Job, *, at: datetime) -> None:
    """Mail the login once the account exists and everything asked for with it has ended.

    A parked credit does not hold it up: the account works, and staff have the credit in their list.
    """
    if account.state != Account.State.LIVE or outcomes.unfinished_in_bundle(job):
        return
    password = accounts.password_of(account)
    assert password is not None
    service_emails.account_ready(account, account.subscription.customer, password, at=at)
    account.password_sealed = None
    account.save(update_fields=["password_sealed"])
