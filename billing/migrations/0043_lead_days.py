# Generated

import django.core.validators
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('billing', '0042_events_by_payment'),
    ]

    operations = [
        migrations.AddField(
            model_name='brand',
            name='lead_half_yearly',
            field=models.PositiveSmallIntegerField(default=14, verbose_name='days ahead, half-yearly'),
        ),
        migrations.AddField(
            model_name='brand',
            name='lead_monthly',
            field=models.PositiveSmallIntegerField(default=7, help_text='27 at most: less than the shortest month.', validators=[django.core.validators.MaxValueValidator(27)], verbose_name='days ahead, monthly'),
        ),
        # A shop that runs keeps the seven days it has had.
        migrations.AlterField(
            model_name='brand',
            name='lead_monthly',
            field=models.PositiveSmallIntegerField(default=14, help_text='27 at most: less than the shortest month.', validators=[django.core.validators.MaxValueValidator(27)], verbose_name='days ahead, monthly'),
        ),
        migrations.AddField(
            model_name='brand',
            name='lead_quarterly',
            field=models.PositiveSmallIntegerField(default=14, verbose_name='days ahead, quarterly'),
        ),
        migrations.AddField(
            model_name='brand',
            name='lead_two_yearly',
            field=models.PositiveSmallIntegerField(default=30, verbose_name='days ahead, two-yearly'),
        ),
        migrations.AddField(
            model_name='brand',
            name='lead_yearly',
            field=models.PositiveSmallIntegerField(default=14, verbose_name='days ahead, yearly'),
        ),
        migrations.AlterField(
            model_name='brand',
            name='price_notice_days',
            field=models.PositiveSmallIntegerField(default=42, help_text='More than any renewal is invoiced ahead, and 31 at least.', validators=[django.core.validators.MinValueValidator(31)], verbose_name='days of notice for new prices'),
        ),
        migrations.AddConstraint(
            model_name='brand',
            constraint=models.CheckConstraint(condition=models.Q(('lead_monthly__lte', 27), ('price_notice_days__gte', 31), ('lead_monthly__lt', models.F('price_notice_days')), ('lead_quarterly__lt', models.F('price_notice_days')), ('lead_half_yearly__lt', models.F('price_notice_days')), ('lead_yearly__lt', models.F('price_notice_days')), ('lead_two_yearly__lt', models.F('price_notice_days'))), name='brand_ahead_is_short'),
        ),
    ]
