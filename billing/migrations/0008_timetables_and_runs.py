"""The dunning timetable becomes a row, notices keep their evidence, each day has its run."""

import billing.models.timetable
import django.contrib.postgres.fields
import django.core.validators
import django.db.models.deletion
from django.db import migrations, models


# What the code did until now is the default, and the rule that earlier notices followed.
DEFAULT = """
INSERT INTO billing_timetable (name, is_default, reminder, charge_retries, overdue_first,
    overdue_second, suspended, revocation_warning, ended, notice_days)
    VALUES ('Standard', true, 3, '{3,5,7}', 1, 7, 10, 24, 30, 3);
UPDATE billing_notice SET timetable_id = (SELECT id FROM billing_timetable),
    days = CASE step WHEN 'reminder' THEN -3 WHEN 'overdue_first' THEN 1 WHEN 'overdue_second'
        THEN 7 WHEN 'suspended' THEN 10 WHEN 'revocation_warning' THEN 24 ELSE 30 END;
SET CONSTRAINTS ALL IMMEDIATE;
"""


class Migration(migrations.Migration):

    dependencies = [
        ('billing', '0007_balances'),
        ('packages', '0002_history_append_only'),
        ('provisioning', '0001_initial'),
    ]

    operations = [
        migrations.AddField(
            model_name='notice',
            name='days',
            field=models.SmallIntegerField(default=0, verbose_name='days after the due date'),
        ),
        migrations.AddField(
            model_name='notice',
            name='due_minor',
            field=models.BigIntegerField(default=0, verbose_name='owed'),
        ),
        migrations.CreateModel(
            name='Run',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('on', models.DateField(unique=True, verbose_name='day')),
                ('state', models.CharField(choices=[('waiting', 'waiting'), ('running', 'running'), ('done', 'done'), ('faulty', 'done, with faults'), ('stopped', 'stopped, needs staff'), ('released', 'released by staff')], default='waiting', max_length=10, verbose_name='state')),
                ('again_at', models.DateTimeField(null=True, verbose_name='taken up again')),
                ('attempts', models.PositiveSmallIntegerField(default=0, verbose_name='attempts')),
                ('started_at', models.DateTimeField(verbose_name='started')),
                ('finished_at', models.DateTimeField(null=True, verbose_name='finished')),
                ('counts', models.JSONField(default=dict)),
                ('planned', models.JSONField(default=dict)),
                ('faults', models.JSONField(default=list)),
            ],
            options={
                'verbose_name': 'run of the calendar',
                'verbose_name_plural': 'runs of the calendar',
                'ordering': ['-on'],
            },
        ),
        migrations.CreateModel(
            name='Timetable',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=60, verbose_name='name')),
                ('is_default', models.BooleanField(default=False, help_text='Holds for every package and customer without a timetable of their own.', verbose_name='default')),
                ('reminder', models.PositiveSmallIntegerField(blank=True, default=3, help_text='Days before the due date; empty: never.', null=True, validators=[django.core.validators.MinValueValidator(1)], verbose_name='reminder')),
                ('charge_retries', django.contrib.postgres.fields.ArrayField(base_field=models.PositiveSmallIntegerField(validators=[django.core.validators.MinValueValidator(1)]), blank=True, default=billing.models.timetable._charge_retries, help_text='Days after the due date on which a saved payment method is charged again, e.g. 3,5,7; empty: never.', size=None, verbose_name='charge again')),
                ('overdue_first', models.PositiveSmallIntegerField(blank=True, default=1, help_text='Days after the due date; empty: never.', null=True, validators=[django.core.validators.MinValueValidator(1)], verbose_name='first notice')),
                ('overdue_second', models.PositiveSmallIntegerField(blank=True, default=7, help_text='Days after the due date; empty: never.', null=True, validators=[django.core.validators.MinValueValidator(1)], verbose_name='second notice, announces the suspension')),
                ('suspended', models.PositiveSmallIntegerField(blank=True, default=10, help_text='Days after the due date; empty: never.', null=True, validators=[django.core.validators.MinValueValidator(1)], verbose_name='suspension')),
                ('revocation_warning', models.PositiveSmallIntegerField(blank=True, default=24, help_text='Days after the due date; empty: never.', null=True, validators=[django.core.validators.MinValueValidator(1)], verbose_name='warning before the end')),
                ('ended', models.PositiveSmallIntegerField(blank=True, default=30, help_text='Days after the due date; empty: never.', null=True, validators=[django.core.validators.MinValueValidator(1)], verbose_name='end of the service')),
                ('notice_days', models.PositiveSmallIntegerField(default=3, help_text='So many days at least lie between a warning and what it announces.', validators=[django.core.validators.MinValueValidator(1)], verbose_name='days of notice')),
            ],
            options={
                'verbose_name': 'dunning timetable',
                'verbose_name_plural': 'dunning timetables',
                'ordering': ['-is_default', 'name'],
                'constraints': [models.UniqueConstraint(condition=models.Q(('is_default', True)), fields=('is_default',), name='timetable_one_default'), models.CheckConstraint(condition=models.Q(('overdue_first__lt', models.F('overdue_second')), ('overdue_first__lt', models.F('suspended')), ('overdue_first__lt', models.F('revocation_warning')), ('overdue_first__lt', models.F('ended')), ('overdue_second__lt', models.F('suspended')), ('overdue_second__lt', models.F('revocation_warning')), ('overdue_second__lt', models.F('ended')), ('suspended__lt', models.F('revocation_warning')), ('suspended__lt', models.F('ended')), ('revocation_warning__lt', models.F('ended')), models.Q(('suspended__isnull', True), ('overdue_second__isnull', False), _connector='OR'), models.Q(('ended__isnull', True), models.Q(('revocation_warning__isnull', False), ('suspended__isnull', False)), _connector='OR')), name='timetable_runs_forward')],
            },
        ),
        migrations.CreateModel(
            name='PackageTimetable',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('package', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='packages.package', verbose_name='package')),
                ('timetable', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='packages', to='billing.timetable')),
            ],
            options={
                'verbose_name': 'package with this timetable',
                'verbose_name_plural': 'packages with this timetable',
            },
        ),
        migrations.AddField(
            model_name='customer',
            name='timetable',
            field=models.ForeignKey(blank=True, help_text='Empty: that of the package, or the default.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='customers', to='billing.timetable', verbose_name='dunning timetable'),
        ),
        migrations.AddField(
            model_name='notice',
            name='timetable',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='billing.timetable', verbose_name='timetable'),
        ),
        migrations.RunSQL(DEFAULT, migrations.RunSQL.noop),
    ]
