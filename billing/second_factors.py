"""Taking away the second factor of somebody who lost it; their password alone lets them in then."""

from datetime import datetime

from allauth.account.adapter import get_adapter
from allauth.mfa.models import Authenticator
from django.db import transaction

from billing.models import User
from packages.states import record


def kept(user: User) -> bool:
    """Say whether signing in asks the user for more than a password."""
    return bool(Authenticator.objects.filter(user=user).exists())


def take_away(user: User, *, reason: str, at: datetime, actor: str) -> bool:
    """Remove all second factors of the user, leave a history row, and tell them by mail.

    False if there were none: nothing is written then. Speaks no HTTP.
    """
    with transaction.atomic():
        if not Authenticator.objects.filter(user=user).delete()[0]:
            return False
        record("user", user.pk, "second factor", "password", at=at, actor=actor, reason=reason)
        get_adapter().send_mail("mfa/email/second_factor_removed", user.email, {"user": user})
    return True
