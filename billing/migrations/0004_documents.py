"""Credit notes, and what an invoice must know for the paper and the XML about it."""

import django.db.models.deletion
import django.db.models.expressions
from django.db import migrations, models

# What credit notes took off the sum that is due moves as payments do; all else stays as issued.
FINAL = """
CREATE OR REPLACE FUNCTION invoice_is_final() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.number IS NULL THEN
        RETURN COALESCE(NEW, OLD);
    END IF;
    IF TG_OP = 'DELETE' OR
       to_jsonb(OLD) - ARRAY['state', 'paid_minor', 'paid_at'{more}] IS DISTINCT FROM
       to_jsonb(NEW) - ARRAY['state', 'paid_minor', 'paid_at'{more}] THEN
        RAISE EXCEPTION 'invoice % was issued and never changes', OLD.number
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
"""
# The price mode was the shop's until now; the new column says it on what was issued before.
PRICE_MODE = """
ALTER TABLE billing_invoice DISABLE TRIGGER invoice_is_final;
UPDATE billing_invoice SET prices_include_tax = false
    WHERE EXISTS (SELECT 1 FROM billing_brand WHERE NOT prices_include_tax);
ALTER TABLE billing_invoice ENABLE TRIGGER invoice_is_final;
"""


class Migration(migrations.Migration):

    dependencies = [
        ('billing', '0003_calendar'),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name='invoice',
            name='invoice_not_overpaid',
        ),
        migrations.RemoveConstraint(
            model_name='invoice',
            name='invoice_paid_in_full',
        ),
        migrations.RemoveConstraint(
            model_name='invoiceline',
            name='invoice_period_once',
        ),
        migrations.AddField(
            model_name='brand',
            name='small_business',
            field=models.BooleanField(default=False, help_text='No VAT is charged or shown; each invoice says why.', verbose_name='small business (§ 19 UStG)'),
        ),
        migrations.AddField(
            model_name='invoice',
            name='correction',
            field=models.PositiveSmallIntegerField(help_text='Which credit note of its invoice it is, from 1.', null=True),
        ),
        migrations.AddField(
            model_name='invoice',
            name='corrects',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='credit_notes', to='billing.invoice', verbose_name='corrects'),
        ),
        migrations.AddField(
            model_name='invoice',
            name='credited_minor',
            field=models.BigIntegerField(default=0, help_text='What credit notes took off the sum that is due.'),
        ),
        migrations.AddField(
            model_name='invoice',
            name='kind',
            field=models.CharField(choices=[('invoice', 'invoice'), ('credit_note', 'credit note')], default='invoice', max_length=12, verbose_name='kind'),
        ),
        migrations.AddField(
            model_name='invoice',
            name='prices_include_tax',
            field=models.BooleanField(default=True, help_text='How the unit prices of the lines are meant.'),
        ),
        migrations.AddField(
            model_name='invoice',
            name='reason',
            field=models.CharField(blank=True, max_length=250, verbose_name='reason'),
        ),
        migrations.AddField(
            model_name='invoiceline',
            name='corrects',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='corrections', to='billing.invoiceline'),
        ),
        migrations.AlterField(
            model_name='invoice',
            name='state',
            field=models.CharField(choices=[('draft', 'draft'), ('open', 'open'), ('paid', 'paid'), ('cancelled', 'cancelled'), ('issued', 'issued')], default='draft', max_length=12, verbose_name='state'),
        ),
        migrations.AddConstraint(
            model_name='invoice',
            constraint=models.CheckConstraint(condition=models.Q(('credited_minor__gte', 0), ('paid_minor__gte', 0), ('total_minor__gte', django.db.models.expressions.CombinedExpression(models.F('paid_minor'), '+', models.F('credited_minor')))), name='invoice_not_overpaid'),
        ),
        migrations.AddConstraint(
            model_name='invoice',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state', 'paid'), _negated=True), ('total_minor', django.db.models.expressions.CombinedExpression(models.F('paid_minor'), '+', models.F('credited_minor'))), _connector='OR'), name='invoice_paid_in_full'),
        ),
        migrations.AddConstraint(
            model_name='invoice',
            constraint=models.UniqueConstraint(fields=('corrects', 'correction'), name='invoice_correction_once'),
        ),
        migrations.AddConstraint(
            model_name='invoice',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('correction__isnull', True), ('corrects__isnull', True), ('kind', 'invoice'), models.Q(('state', 'issued'), _negated=True)), models.Q(('correction__isnull', False), ('corrects__isnull', False), ('kind', 'credit_note'), ('state__in', ['draft', 'issued'])), _connector='OR'), name='invoice_kind_fits'),
        ),
        migrations.AddConstraint(
            model_name='invoiceline',
            constraint=models.UniqueConstraint(condition=models.Q(('corrects__isnull', True), ('kind', 'recurring'), ('period_start_on__isnull', False)), fields=('subscription', 'period_start_on'), name='invoice_period_once'),
        ),
        migrations.RunSQL(PRICE_MODE, migrations.RunSQL.noop),
        migrations.RunSQL(
            FINAL.replace("{more}", ", 'credited_minor'"), FINAL.replace("{more}", "")
        ),
    ]
