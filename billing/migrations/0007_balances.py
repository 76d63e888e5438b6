"""The balance: what it pays on invoices, with its document in the books."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('billing', '0006_top_ups'),
    ]

    operations = [
        migrations.AddField(
            model_name='allocation',
            name='use',
            field=models.PositiveSmallIntegerField(help_text='Which use of the balance for its invoice it is, from 1.', null=True),
        ),
        migrations.AddField(
            model_name='invoice',
            name='prepaid_minor',
            field=models.BigIntegerField(default=0, help_text="What the customer's balance had paid when it was issued."),
        ),
        migrations.AddField(
            model_name='ledgertransaction',
            name='allocation',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='bookings', to='billing.allocation'),
        ),
        migrations.AlterField(
            model_name='allocation',
            name='payment',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='allocations', to='billing.payment'),
        ),
        migrations.AddConstraint(
            model_name='allocation',
            constraint=models.UniqueConstraint(fields=('invoice', 'use'), name='allocation_use_once'),
        ),
        migrations.AddConstraint(
            model_name='allocation',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('payment__isnull', False), ('use__isnull', True)), models.Q(('payment__isnull', True), ('use__isnull', False)), _connector='OR'), name='allocation_has_source'),
        ),
        migrations.AddConstraint(
            model_name='invoice',
            constraint=models.CheckConstraint(condition=models.Q(('paid_minor__gte', models.F('prepaid_minor')), ('prepaid_minor__gte', 0)), name='invoice_prepaid_was_paid'),
        ),
    ]
