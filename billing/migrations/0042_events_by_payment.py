from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("billing", "0041_balance_by_index")]

    operations = [
        migrations.AddIndex(
            model_name="gatewayevent",
            index=models.Index(
                fields=["payment_external_id"],
                condition=Q(state="received"),
                name="gateway_event_of_payment",
            ),
        ),
    ]
