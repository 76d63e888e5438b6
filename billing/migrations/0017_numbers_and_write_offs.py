"""The format of numbers, and what was written off of an invoice."""

import django.core.validators
import django.db.models.expressions
from django.db import migrations, models


# What was written off moves with the state; all else stays as issued.
FINAL = """
CREATE OR REPLACE FUNCTION invoice_is_final() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    moving text[] := ARRAY['state', 'paid_minor', 'paid_at', 'credited_minor'{more}];
BEGIN
    IF OLD.number IS NULL THEN
        RETURN COALESCE(NEW, OLD);
    END IF;
    IF TG_OP = 'DELETE' OR to_jsonb(OLD) - moving IS DISTINCT FROM to_jsonb(NEW) - moving THEN
        RAISE EXCEPTION 'invoice % was issued and never changes', OLD.number
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
"""


class Migration(migrations.Migration):

    dependencies = [
        ('billing', '0016_dunning'),
    ]

    operations = [
        migrations.AddField(
            model_name='brand',
            name='credit_prefix',
            field=models.CharField(default='G', max_length=8, validators=[django.core.validators.RegexValidator('^[A-Z]{1,8}$', 'Enter one to eight capital letters.')], verbose_name='prefix of credit note numbers'),
        ),
        migrations.AddField(
            model_name='brand',
            name='invoice_prefix',
            field=models.CharField(default='R', max_length=8, validators=[django.core.validators.RegexValidator('^[A-Z]{1,8}$', 'Enter one to eight capital letters.')], verbose_name='prefix of invoice numbers'),
        ),
        migrations.AddField(
            model_name='brand',
            name='number_digits',
            field=models.PositiveSmallIntegerField(default=4, validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(9)], verbose_name='digits of a number, at least'),
        ),
        migrations.AddField(
            model_name='brand',
            name='numbers_by_year',
            field=models.BooleanField(default=True, help_text='They then carry the year: R-2026-0001, otherwise R-0001.', verbose_name='numbers begin anew each year'),
        ),
        migrations.AddField(
            model_name='invoice',
            name='written_off_minor',
            field=models.BigIntegerField(default=0, help_text='What is not expected to be paid any more.'),
        ),
        migrations.AlterField(
            model_name='invoice',
            name='state',
            field=models.CharField(choices=[('draft', 'draft'), ('open', 'open'), ('paid', 'paid'), ('cancelled', 'cancelled'), ('written_off', 'written off'), ('issued', 'issued')], default='draft', max_length=12, verbose_name='state'),
        ),
        migrations.AlterField(
            model_name='ledgeraccount',
            name='kind',
            field=models.CharField(choices=[('receivable', 'receivable'), ('customer_credit', 'customer credit'), ('revenue', 'revenue'), ('tax_payable', 'tax payable'), ('clearing', 'gateway clearing'), ('bad_debt', 'bad debt'), ('refund', 'refunds on their way')], max_length=20, verbose_name='kind'),
        ),
        migrations.AddConstraint(
            model_name='invoice',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('written_off_minor', 0), models.Q(('state', 'written_off'), _negated=True)), models.Q(('state', 'written_off'), ('total_minor', django.db.models.expressions.CombinedExpression(django.db.models.expressions.CombinedExpression(models.F('paid_minor'), '+', models.F('credited_minor')), '+', models.F('written_off_minor')))), _connector='OR'), name='invoice_written_off_in_full'),
        ),
        migrations.RunSQL(
            FINAL.format(more=", 'written_off_minor'"), FINAL.format(more="")
        ),
    ]
