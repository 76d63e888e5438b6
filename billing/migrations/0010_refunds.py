"""Refunds: money of a payment that goes back, with its steps in the books."""

import django.db.models.deletion
import uuid
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('billing', '0009_coupons_and_quantity'),
    ]

    operations = [
        migrations.CreateModel(
            name='Refund',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('key', models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ('way', models.CharField(choices=[('gateway', 'back the way it was paid'), ('transfer', 'by bank transfer, sent by hand'), ('outside', 'made at the gateway by hand')], max_length=10, verbose_name='way')),
                ('state', models.CharField(choices=[('requested', 'to be sent'), ('processing', 'on its way'), ('succeeded', 'refunded'), ('failed', 'failed'), ('parked', 'needs staff')], default='requested', max_length=12, verbose_name='state')),
                ('amount_minor', models.BigIntegerField(verbose_name='amount')),
                ('currency', models.CharField(max_length=3, verbose_name='currency')),
                ('reason', models.CharField(max_length=250, verbose_name='reason')),
                ('external_id', models.CharField(max_length=80, null=True, verbose_name='id at the gateway')),
                ('reference', models.CharField(blank=True, max_length=250, verbose_name='reference')),
                ('created_at', models.DateTimeField(verbose_name='asked for')),
                ('finished_at', models.DateTimeField(null=True, verbose_name='finished')),
                ('next_attempt_at', models.DateTimeField(null=True)),
                ('attempts', models.PositiveSmallIntegerField(default=0)),
                ('note', models.CharField(blank=True, max_length=300, verbose_name='note')),
            ],
            options={
                'verbose_name': 'refund',
                'verbose_name_plural': 'refunds',
                'ordering': ['-id'],
            },
        ),
        migrations.AddField(
            model_name='payment',
            name='refunded_minor',
            field=models.BigIntegerField(default=0, help_text='What was given back of it, or is on its way back.'),
        ),
        migrations.AlterField(
            model_name='ledgeraccount',
            name='kind',
            field=models.CharField(choices=[('receivable', 'receivable'), ('customer_credit', 'customer credit'), ('revenue', 'revenue'), ('tax_payable', 'tax payable'), ('clearing', 'gateway clearing'), ('refund', 'refunds on their way')], max_length=20, verbose_name='kind'),
        ),
        migrations.AddConstraint(
            model_name='payment',
            constraint=models.CheckConstraint(condition=models.Q(('amount_minor__gte', models.F('refunded_minor')), ('refunded_minor__gte', 0)), name='payment_not_over_refunded'),
        ),
        migrations.AddField(
            model_name='refund',
            name='payment',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='refunds', to='billing.payment'),
        ),
        migrations.AddField(
            model_name='ledgertransaction',
            name='refund',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='bookings', to='billing.refund'),
        ),
        migrations.AddIndex(
            model_name='refund',
            index=models.Index(condition=models.Q(('next_attempt_at__isnull', False)), fields=['next_attempt_at', 'id'], name='refund_to_send'),
        ),
        migrations.AddConstraint(
            model_name='refund',
            constraint=models.UniqueConstraint(fields=('payment', 'external_id'), name='refund_external_once'),
        ),
        migrations.AddConstraint(
            model_name='refund',
            constraint=models.CheckConstraint(condition=models.Q(('amount_minor__gt', 0)), name='refund_positive'),
        ),
    ]
