"""What a person does in ICTBroadcast in place of a job."""

from django.utils.html import format_html
from django.utils.translation import gettext as _

from packages.desk.cells import amount_of
from packages.desk.deeds import Text
from packages.models import Service
from provisioning import accounts, vault
from provisioning.dialler.base import Limits
from provisioning.models import Account, Job


def instruction(job: Job) -> str:
    """Return one sentence: what to do by hand, so that the job is done."""
    names = {"username": job.account.username, "server": job.account.server.name}
    texts = {
        Job.Kind.CREATE: _("Create the account %(username)s on %(server)s in ICTBroadcast."),
        Job.Kind.SET_LIMITS: _("Set the limits below for %(username)s in ICTBroadcast."),
        Job.Kind.CREDIT: _("Add %(amount)s to account %(username)s in ICTBroadcast, then confirm."),
        Job.Kind.TAKE_BACK: _(
            "Lower the balance of %(username)s to the sum below in ICTBroadcast, then confirm. "
            "Where it is lower already, there is nothing to do."
        ),
        Job.Kind.REFILL: _("Set the included units below for %(username)s in ICTBroadcast."),
        Job.Kind.SUSPEND: _("Switch the account %(username)s off in ICTBroadcast."),
        Job.Kind.UNSUSPEND: _("Switch the account %(username)s on in ICTBroadcast."),
        Job.Kind.CHANGE_PASSWORD: _("Set the password below for %(username)s in ICTBroadcast."),
        Job.Kind.READ_BALANCE: _("The balance cannot be read from %(server)s; nothing to do."),
        Job.Kind.TERMINATE: _("Delete the account %(username)s in ICTBroadcast for good."),
    }
    amount = amount_of(job.amount_minor, job.currency)
    return texts[Job.Kind(job.kind)] % {**names, "amount": amount}


def details(job: Job) -> list[tuple[Text, str]]:
    """Return what to type in there; passwords are left out."""
    if job.kind == Job.Kind.CREDIT:
        reference = (_("Note at the dialler"), format_html("<code>{}</code>", job.cause))
        return [(_("Amount"), amount_of(job.amount_minor, job.currency)), reference]
    if job.kind == Job.Kind.TAKE_BACK:
        keep = job.details.get("target_minor", job.details["keep_minor"])
        most = job.amount_minor or job.details["most_minor"]
        sums = [(_("Balance afterwards"), keep), (_("Taken back at the most"), most)]
        return [(label, amount_of(minor, job.currency)) for label, minor in sums]
    if job.kind == Job.Kind.REFILL:
        units = job.details.get("target", job.details["units"])
        return [(str(Service(each).label), str(count)) for each, count in units.items()]
    if job.kind == Job.Kind.SET_LIMITS:
        return limits(job.details["limits"])
    if job.kind == Job.Kind.CREATE:
        person = job.account.person
        names = [(_("Username"), job.account.username), (_("Name"), person["name"])]
        reach = [(_("E-mail"), person["email"]), (_("Phone"), person.get("phone", ""))]
        company = [(_("Company"), person.get("company", ""))]
        role = [(_("Role"), job.details.get("role") or job.account.server.default_role)]
        rows = [*names, *company, *reach, *role, *limits(job.account.limits)]
        return [(label, value) for label, value in rows if value]
    return []


def limits(data: dict[str, object]) -> list[tuple[Text, str]]:
    """Return limits, one line each."""
    target = Limits.from_json(data)
    units = ", ".join(f"{Service(service).label} {count}" for service, count in target.units)
    return [
        (_("Plan"), target.tariff),
        (_("Channels"), str(target.channels)),
        (_("Services"), ", ".join(str(Service(each).label) for each in target.services) or "–"),
        (_("Included units"), _("as they are") if target.keep_units else units or "–"),
    ]


def password(job: Job) -> str:
    """Return the password that the job would set, for who does it by hand; empty for other jobs.

    The customer's mail announces this one, so the person has to set exactly this.
    """
    if job.kind == Job.Kind.CREATE:
        return accounts.password_of(Account.objects.get(pk=job.account_id)) or ""
    sealed = job.details.get("sealed", "")
    if job.kind != Job.Kind.CHANGE_PASSWORD or not sealed:
        return ""
    return vault.unseal(sealed.encode(), purpose=f"job-password:{job.cause}")
