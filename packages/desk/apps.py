from django.contrib.admin.apps import AdminConfig


class DeskConfig(AdminConfig):
    """The stock admin behind our own door."""

    default_site = "packages.desk.door.DeskSite"
