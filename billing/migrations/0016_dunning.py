"""Pauses, disputes, the law's floor, and the day on which dunning looks at an invoice again."""

import django.db.models.deletion
from django.db import migrations, models


# When dunning looks again moves like the state; all else of an invoice stays as issued.
FINAL = """
CREATE OR REPLACE FUNCTION invoice_is_final() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.number IS NULL THEN
        RETURN COALESCE(NEW, OLD);
    END IF;
    IF TG_OP = 'DELETE' OR
       to_jsonb(OLD) - ARRAY['state', 'paid_minor', 'paid_at', 'credited_minor'{more}]
       IS DISTINCT FROM
       to_jsonb(NEW) - ARRAY['state', 'paid_minor', 'paid_at', 'credited_minor'{more}] THEN
        RAISE EXCEPTION 'invoice % was issued and never changes', OLD.number
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
"""
# What is open is looked at in the next run, which finds out when its next step comes.
LOOK = """
UPDATE billing_invoice SET next_step_on = issued_on + 1
    WHERE state = 'open' AND order_id IS NULL;
SET CONSTRAINTS ALL IMMEDIATE;
"""


class Migration(migrations.Migration):

    dependencies = [
        ('billing', '0015_price_changes'),
    ]

    operations = [
        migrations.CreateModel(
            name='Pause',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('from_on', models.DateField(verbose_name='from')),
                ('until_on', models.DateField(help_text='The first day on which dunning goes on.', verbose_name='until')),
                ('reason', models.CharField(max_length=250, verbose_name='reason')),
                ('actor', models.CharField(max_length=80, verbose_name='by')),
                ('at', models.DateTimeField(verbose_name='entered')),
            ],
            options={
                'verbose_name': 'pause of dunning',
                'verbose_name_plural': 'pauses of dunning',
                'ordering': ['-id'],
            },
        ),
        migrations.AddField(
            model_name='brand',
            name='telecom_floor',
            field=models.BooleanField(default=False, help_text="For a telecom service to the public in Germany: a consumer's service is suspended only while the undisputed arrears reach the amount below, and only so many days after it was announced. Businesses and customers elsewhere are not concerned. Whether the law applies to you is for your counsel to say.", verbose_name='limits of § 61 TKG for consumers'),
        ),
        migrations.AddField(
            model_name='brand',
            name='telecom_floor_minor',
            field=models.PositiveIntegerField(default=10000, help_text='10000 is 100.00; what is contested or paid does not count.', verbose_name='least arrears, in minor units'),
        ),
        migrations.AddField(
            model_name='brand',
            name='telecom_notice_days',
            field=models.PositiveSmallIntegerField(default=14, verbose_name='days from announcement to suspension'),
        ),
        migrations.AddField(
            model_name='invoice',
            name='next_step_on',
            field=models.DateField(help_text='The day on which dunning looks at it again, while it is open.', null=True),
        ),
        migrations.AddField(
            model_name='payment',
            name='dispute_ended_at',
            field=models.DateTimeField(null=True, verbose_name='dispute ended'),
        ),
        migrations.AddField(
            model_name='payment',
            name='disputed_at',
            field=models.DateTimeField(null=True, verbose_name='disputed since'),
        ),
        migrations.AddIndex(
            model_name='invoice',
            index=models.Index(condition=models.Q(('next_step_on__isnull', False), ('state', 'open')), fields=['next_step_on', 'id'], name='invoice_to_dun'),
        ),
        migrations.AddField(
            model_name='pause',
            name='customer',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='pauses', to='billing.customer'),
        ),
        migrations.AddField(
            model_name='pause',
            name='invoice',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='pauses', to='billing.invoice'),
        ),
        migrations.AddField(
            model_name='pause',
            name='subscription',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='pauses', to='billing.subscription'),
        ),
        migrations.AddConstraint(
            model_name='pause',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('customer__isnull', True), ('invoice__isnull', False), ('subscription__isnull', True)), models.Q(('customer__isnull', True), ('invoice__isnull', True), ('subscription__isnull', False)), models.Q(('customer__isnull', False), ('invoice__isnull', True), ('subscription__isnull', True)), _connector='OR'), name='pause_of_one_thing'),
        ),
        migrations.AddConstraint(
            model_name='pause',
            constraint=models.CheckConstraint(condition=models.Q(('until_on__gte', models.F('from_on'))), name='pause_not_backwards'),
        ),
        migrations.AddIndex(
            model_name='subscriptionperiod',
            index=models.Index(condition=models.Q(('index', -1)), fields=['end_on'], name='period_trial_end'),
        ),
        migrations.RunSQL(
            FINAL.replace("{more}", ", 'next_step_on'"), FINAL.replace("{more}", "")
        ),
        migrations.RunSQL(LOOK, migrations.RunSQL.noop),
    ]
