"""Whether renewals that are due on the same day share an invoice."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('billing', '0011_payment_turns'),
    ]

    operations = [
        migrations.AddField(
            model_name='brand',
            name='one_invoice',
            field=models.BooleanField(default=True, help_text='Off: each service has invoices of its own.', verbose_name='one invoice for renewals due on the same day'),
        ),
    ]
