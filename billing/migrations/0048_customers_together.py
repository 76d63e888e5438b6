from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("billing", "0047_invoice_footer")]

    operations = [
        migrations.RemoveIndex(model_name="subscription", name="subscription_due"),
        migrations.AddIndex(
            model_name="subscription",
            index=models.Index(
                fields=["next_invoice_on", "customer", "id"],
                condition=Q(next_invoice_on__isnull=False),
                name="subscription_due",
            ),
        ),
    ]
