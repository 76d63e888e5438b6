from django.apps import AppConfig
from django.core.checks import register
from django.utils.translation import gettext_lazy as _


class BillingConfig(AppConfig):
    name = "billing"
    verbose_name = _("Billing")

    def ready(self) -> None:
        from billing import receivers
        from billing.gateways.checks import check_gateways, check_no_simulated_gateway

        register(check_gateways)
        register(check_no_simulated_gateway, deploy=True)
        receivers.connect()
