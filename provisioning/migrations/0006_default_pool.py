from typing import Any

from django.db import migrations


def make(apps: Any, schema_editor: Any) -> None:
    """Every server so far took every package of its currency; the default pool says so."""
    pool = apps.get_model("provisioning", "Pool").objects.create(name="Default", is_default=True)
    for server in apps.get_model("provisioning", "Server").objects.all():
        server.pools.add(pool)


class Migration(migrations.Migration):
    dependencies = [("provisioning", "0005_pools")]

    operations = [migrations.RunPython(make, migrations.RunPython.noop)]
