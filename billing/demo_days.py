"""Days of a demo's shop, lived one by one: its clock moves, and all that is due is done."""

from billing import tasks
from packages import clock
from packages.sweeping import each
from provisioning import tasks as provisioning

# Each round does what the one before has brought about: an event, a payment, a job.
ROUNDS = 20


def live(days: int) -> None:
    """Let so many days pass, each with its run of the calendar and all work that follows from it.

    The workers may do part of it meanwhile. Speaks HTTP with the simulators. Raises days.TooMany on
    the day on which staff must decide first; the days after it are not lived.
    """
    for _ in range(days):
        clock.pass_days(1)
        tasks.bill_due()
        each(provisioning.servers_to_read(), provisioning.read_server)
        tasks.watch_balances()
        work()


def work() -> None:
    """Do what is due now, and what that brings about, as workers do it. No doorbell is needed."""
    for _ in range(ROUNDS):
        if not tasks.anything_waits():
            break
        tasks.sweep_events()
        tasks.sweep_statements()
        tasks.sweep_payments()
        tasks.sweep_refunds()
        tasks.sweep_methods()
        each(provisioning.surveys_due(), provisioning.run_survey)
        each(provisioning.servers_to_probe(), provisioning.probe_server)
        due = provisioning.accounts_due()
        each(due, provisioning.run_account)
        if not due:
            break
    tasks.sweep_mails()
