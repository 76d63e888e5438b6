"""What must hold when everything has healed: our books, the dialler's truth, the mails."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from billing import invariants
from billing.models import GatewayEvent, Mail
from provisioning.models import Account, Attempt, Job
from provisioning.simulator.simulator import Simulator
from tests.billing import smtp

ENDED = (Job.State.DONE, Job.State.PARKED, Job.State.CANCELLED)


def problems(dialler: Simulator, post: smtp.Server) -> list[str]:
    """Return what is wrong, a sentence each."""
    return [
        *(f"violated: {each.invariant.code} {each.rows}" for each in invariants.violations()),
        *unfinished(),
        *twice(dialler),
        *lost(dialler),
        *unwritten(dialler),
        *drifted(dialler),
        *mailed_twice(post),
    ]


def parked() -> int:
    return Job.objects.filter(state=Job.State.PARKED).count()


def unfinished() -> Iterator[str]:
    """Every job is over or with staff, or waits behind one that is; so are events and mails."""
    parked = set(Job.objects.filter(state=Job.State.PARKED).values_list("account", flat=True))
    for job in Job.objects.exclude(state__in=ENDED):
        if job.account_id not in parked:
            yield f"unfinished: {job.kind} {job.cause} is {job.state}: {job.reason}"
    for event in GatewayEvent.objects.filter(state=GatewayEvent.State.RECEIVED):
        yield f"unfinished: event {event.pk}: {event.note}"
    for mail in Mail.objects.filter(state__in=(Mail.State.QUEUED, Mail.State.SENDING)):
        yield f"unfinished: mail {mail.template} is {mail.state}: {mail.last_error}"


def twice(dialler: Simulator) -> Iterator[str]:
    """No credit has reached the dialler twice for one cause, no account was made or gone twice."""
    effects = Counter(
        (each["verb"], each["reference"] if each["verb"] == "credit" else each["username"])
        for each in dialler.log()["effects"]
        if each["verb"] in ("create", "credit", "delete")
    )
    for what, count in effects.items():
        if count > 1:
            yield f"duplicate: {what}, {count} times"


def lost(dialler: Simulator) -> Iterator[str]:
    """What we hold for done has reached the dialler, and what was given up has not."""
    credited = {each["reference"] for each in dialler.effects("credit")}
    credits = Job.objects.filter(kind=Job.Kind.CREDIT)
    for job in credits.filter(state=Job.State.DONE).exclude(cause__in=credited):
        yield f"lost: {job.cause} is done, and the dialler never heard of it"
    for job in credits.filter(state=Job.State.CANCELLED, cause__in=credited):
        yield f"lost: {job.cause} is cancelled, and the dialler has it"


def unwritten(dialler: Simulator) -> Iterator[str]:
    """No command came without its attempt, written down before."""
    commands = Counter(each["username"] for each in dialler.log()["requests"] if each["mutating"])
    for account in Account.objects.all():
        came = commands[account.username]
        noted = Attempt.objects.filter(job__account=account).count()
        if came > noted:
            yield f"unwritten: {account} was sent {came} commands, of which {noted} are noted"


def drifted(dialler: Simulator) -> Iterator[str]:
    """Where nothing is left to staff, the dialler's account is as ours should be."""
    parked = Job.objects.filter(state=Job.State.PARKED).values("account")
    for account in Account.objects.exclude(pk__in=parked):
        remote = dialler.account(account.username)
        shown = ("absent",) if remote is None else (remote["active"], remote["channels"])
        there = account.state in (Account.State.LIVE, Account.State.SUSPENDED)
        running = account.state == Account.State.LIVE
        expected = (running, account.limits["channels"]) if there else ("absent",)
        if shown != expected:
            yield f"drifted: {account} should be {expected}, the dialler shows {shown}"


def mailed_twice(post: smtp.Server) -> Iterator[str]:
    """A mail goes out once; one that perhaps did is not sent again."""
    for name, count in Counter(str(mail["Message-ID"]) for mail in post.mails).items():
        if count > 1:
            yield f"duplicate: mail {name}, {count} times"
