"""Renewals, cancellations and dunning. Who is active gets the day of the next invoice."""

import django.db.models.deletion
from django.db import migrations, models


# The days are those of billing.subscriptions.LEAD_DAYS when this was written.
FIRST_INVOICES = """
UPDATE billing_subscription SET next_invoice_on = paid_until
    - CASE cycle WHEN 'monthly' THEN 7 WHEN 'two_yearly' THEN 30 ELSE 14 END
WHERE state = 'active' AND cycle <> 'one_time' AND paid_until IS NOT NULL
"""


class Migration(migrations.Migration):

    dependencies = [
        ('billing', '0002_books_and_invoices_are_final'),
        ('packages', '0002_history_append_only'),
        ('provisioning', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='Notice',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('step', models.CharField(choices=[('reminder', 'reminder before the due date'), ('overdue_first', 'first notice'), ('overdue_second', 'second notice, announces the suspension'), ('suspended', 'suspended'), ('revocation_warning', 'warning before the end'), ('ended', 'ended')], max_length=20, verbose_name='step')),
                ('on', models.DateField(verbose_name='day')),
                ('at', models.DateTimeField(verbose_name='taken')),
            ],
            options={
                'verbose_name': 'notice',
                'verbose_name_plural': 'notices',
                'ordering': ['id'],
            },
        ),
        migrations.RemoveIndex(
            model_name='subscription',
            name='subscription_due',
        ),
        migrations.AddField(
            model_name='subscription',
            name='ends_on',
            field=models.DateField(blank=True, help_text='The first day after a cancellation.', null=True, verbose_name='ends'),
        ),
        migrations.AddField(
            model_name='subscription',
            name='next_invoice_on',
            field=models.DateField(blank=True, help_text='Empty while none is to be issued.', null=True, verbose_name='next invoice'),
        ),
        migrations.AddIndex(
            model_name='subscription',
            index=models.Index(condition=models.Q(('next_invoice_on__isnull', False)), fields=['next_invoice_on', 'id'], name='subscription_due'),
        ),
        migrations.AddIndex(
            model_name='subscription',
            index=models.Index(condition=models.Q(('ends_on__isnull', False), ('state__in', ('active', 'suspended'))), fields=['ends_on', 'id'], name='subscription_ending'),
        ),
        migrations.RunSQL(FIRST_INVOICES, migrations.RunSQL.noop),
        migrations.AddConstraint(
            model_name='subscription',
            constraint=models.CheckConstraint(condition=models.Q(('next_invoice_on__isnull', True), ('state', 'active'), _connector='OR'), name='subscription_invoiced_while_active'),
        ),
        migrations.AddField(
            model_name='notice',
            name='invoice',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='notices', to='billing.invoice'),
        ),
        migrations.AddField(
            model_name='notice',
            name='mail',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='billing.mail'),
        ),
        migrations.AddConstraint(
            model_name='notice',
            constraint=models.UniqueConstraint(fields=('invoice', 'step'), name='notice_once'),
        ),
        migrations.AddConstraint(
            model_name='notice',
            constraint=models.UniqueConstraint(fields=('invoice', 'on'), name='notice_one_a_day'),
        ),
    ]
