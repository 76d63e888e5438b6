from django.apps import AppConfig
from django.core.checks import Tags, register


class StorefrontConfig(AppConfig):
    name = "storefront"

    def ready(self) -> None:
        from storefront import form_words
        from storefront.checks import check_mail_texts

        form_words.say()
        register(check_mail_texts, Tags.database)
