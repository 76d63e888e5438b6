"""What the causes mean that are made here, for staff who read them."""

from django.utils.translation import gettext_lazy as _

from packages.desk.causes import UUID, Cause, know
from provisioning.models import Account, Drift

know(
    Cause(rf"staff-{UUID}(:suspend|:delete|:again)?", _("asked for by staff")),
    Cause(r"balance-\d+-\w+", _("the balance was asked for")),
    Cause(
        r"drift-(?P<row>\d+)-\d+:\w+",
        _("put right what was not as it should be: %(row)s"),
        Drift,
        beside=("account",),
    ),
    Cause(r"account-(?P<row>\d+)(:.+)?", _("account %(row)s"), Account),
)
