"""What staff may do, by their role. The table below is the whole of it; no rows hold rights."""

from typing import Any

from django.contrib.auth.backends import BaseBackend

from billing.models import User

Role = User.Role

# Whoever has a role may look at everything, except at what could be misused by looking.
CLOSED = {
    Role.READER: {"billing.gatewayevent", "billing.user", "billing.report"},
    Role.SUPPORT: {"billing.gatewayevent", "billing.report"},
}
SUPPORT = {
    *("billing.customer", "billing.subscription", "billing.mail", "billing.declaration"),
    *("billing.pause", "billing.ticket", "billing.deletionrequest", "provisioning.account"),
}
BILLING = SUPPORT | {
    *("billing.invoice", "billing.payment", "billing.refund", "billing.order"),
    *("billing.gatewayevent", "billing.paymentmethod", "billing.autotopup", "billing.topuprefund"),
    *("billing.coupon", "billing.pricechange", "billing.timetable", "billing.run"),
    *("billing.pricecampaign", "billing.campaignprice"),
    *("billing.couponamount", "billing.packagetimetable"),
    *("billing.taxrate", "billing.topupterms", "provisioning.job"),
    *("provisioning.drift", "provisioning.unknownaccount"),
    *("billing.bankentry", "billing.statementfile", "billing.statementlayout"),
    *("billing.datevsettings", "billing.datevaccount"),
}
# What a role may add, change and delete, as far as the page itself allows; deeds need "change".
CHANGES = {Role.SUPPORT: SUPPORT, Role.BILLING: BILLING}


class RoleBackend(BaseBackend):
    """Answers for rights by the user's role; signing in is another backend's."""

    def has_perm(self, user_obj: Any, perm: str, obj: Any = None) -> bool:
        if not (user_obj.is_active and user_obj.is_staff and getattr(user_obj, "role", "")):
            return False
        return may(Role(user_obj.role), perm)

    def has_module_perms(self, user_obj: Any, app_label: str) -> bool:
        return bool(user_obj.is_active and user_obj.is_staff and user_obj.role)


def may(role: Role, perm: str) -> bool:
    """Say whether a role has a right like `billing.change_invoice`."""
    app, name = perm.split(".", 1)
    action, _, model = name.partition("_")
    what = f"{app}.{model}"
    if role == Role.OWNER:
        return True
    if action == "view":
        return what not in CLOSED.get(role, set())
    return what in CHANGES.get(role, set())
