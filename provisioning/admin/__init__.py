"""The staff's pages of the dialler: servers, accounts, jobs."""

from provisioning.admin import causes
from provisioning.admin.accounts import AccountPage
from provisioning.admin.audits import AuditPage, UnknownAccountPage
from provisioning.admin.jobs import JobPage
from provisioning.admin.pools import PoolPage
from provisioning.admin.servers import ServerPage
from provisioning.admin.surveys import SurveyPage

__all__ = [
    "AccountPage",
    "AuditPage",
    "JobPage",
    "PoolPage",
    "ServerPage",
    "SurveyPage",
    "UnknownAccountPage",
    "causes",
]
