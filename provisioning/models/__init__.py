"""The dialler as we know it. One file per thing; import the thing from here."""

from provisioning.models.account import Account, OneTimeSecret
from provisioning.models.audit import Audit, Drift, UnknownAccount
from provisioning.models.circuit import Circuit
from provisioning.models.heartbeat import Heartbeat
from provisioning.models.job import Attempt, Job
from provisioning.models.pool import Pool, PoolPackage
from provisioning.models.reading import Reading
from provisioning.models.server import Server
from provisioning.models.survey import Survey, SurveyEntry

__all__ = [
    "Account",
    "Attempt",
    "Circuit",
    "Audit",
    "Drift",
    "Heartbeat",
    "Job",
    "OneTimeSecret",
    "Pool",
    "PoolPackage",
    "Reading",
    "Server",
    "Survey",
    "SurveyEntry",
    "UnknownAccount",
]
