from django.apps import AppConfig
from django.core.checks import register
from django.utils.translation import gettext_lazy as _


class BillingConfig(AppConfig):
    name = "billing"
    verbose_name = _("Billing")

    def ready(self) -> None:
        from billing import receivers
        from billing.gateways.checks import check_gateways, check_real_money

        register(check_gateways)
        register(check_real_money, deploy=True)
        receivers.connect()
