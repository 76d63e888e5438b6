"""The accounts' page with what billing knows of them: whose they are, and the service."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from billing.models import Subscription
from packages.desk.cells import EMPTY, link
from provisioning.admin.accounts import AccountPage
from provisioning.models import Account


@admin.register(Account)
class SoldAccountPage(AccountPage):
    list_select_related = ("server", "subscription__customer")
    readonly_fields = (*AccountPage.readonly_fields, "service")
    fieldsets = (
        (None, {"fields": ("status", "username", "remote_id", "server_link", "who", "service")}),
        *AccountPage.fieldsets[1:],
    )

    @admin.display(description=_("customer"))
    def who(self, row: Account) -> str:
        """Return a link to the customer; the name that the dialler has where there is none yet."""
        sold = service_of(row)
        return link(sold.customer) if sold else super().who(row) or EMPTY

    @admin.display(description=_("service"))
    def service(self, row: Account) -> str:
        return link(service_of(row))


def service_of(account: Account) -> Subscription | None:
    """Return the service that the account was made for."""
    return getattr(account, "subscription", None)
