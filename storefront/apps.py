from django.apps import AppConfig
from django.core.checks import Tags, register


class StorefrontConfig(AppConfig):
    name = "storefront"

    def ready(self) -> None:
        from storefront.checks import check_mail_texts

        register(check_mail_texts, Tags.database)
