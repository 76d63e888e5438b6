"""Prices that change from a day on, and the notices about them."""

import django.core.validators
import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('billing', '0014_vat_checks'),
        ('packages', '0004_package_max_quantity'),
    ]

    operations = [
        migrations.AddField(
            model_name='brand',
            name='price_notice_days',
            field=models.PositiveSmallIntegerField(default=42, help_text='31 or more: longer than any renewal is invoiced ahead.', validators=[django.core.validators.MinValueValidator(31)], verbose_name='days of notice for new prices'),
        ),
        migrations.CreateModel(
            name='PriceChange',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('state', models.CharField(choices=[('draft', 'draft'), ('confirmed', 'confirmed'), ('withdrawn', 'withdrawn')], default='draft', max_length=12, verbose_name='state')),
                ('amount_minor', models.BigIntegerField(validators=[django.core.validators.MinValueValidator(0)], verbose_name='new price in minor units')),
                ('credit_minor', models.BigIntegerField(default=0, validators=[django.core.validators.MinValueValidator(0)], verbose_name='new included credit in minor units')),
                ('effective_on', models.DateField(verbose_name='from')),
                ('existing', models.BooleanField(default=False, help_text='Off: who has bought keeps the price of that day.', verbose_name='also for existing subscriptions')),
                ('applied_at', models.DateTimeField(editable=False, null=True, verbose_name='in the catalogue since')),
                ('price', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='changes', to='packages.price', verbose_name='price')),
            ],
            options={
                'verbose_name': 'price change',
                'verbose_name_plural': 'price changes',
                'ordering': ['-effective_on', '-id'],
            },
        ),
        migrations.CreateModel(
            name='PriceNotice',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('starts_on', models.DateField(verbose_name='new price from')),
                ('days', models.PositiveSmallIntegerField(verbose_name='days of notice')),
                ('applies_from', models.DateField(help_text='The first period that was charged at it.', null=True, verbose_name='applied from')),
                ('change', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='notices', to='billing.pricechange')),
                ('mail', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='price_notice', to='billing.mail')),
                ('subscription', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='price_notices', to='billing.subscription')),
            ],
            options={
                'verbose_name': 'price notice',
                'verbose_name_plural': 'price notices',
                'ordering': ['id'],
            },
        ),
        migrations.AddConstraint(
            model_name='pricechange',
            constraint=models.CheckConstraint(condition=models.Q(('amount_minor__gte', 0), ('credit_minor__gte', 0)), name='price_change_not_negative'),
        ),
        migrations.AddConstraint(
            model_name='pricenotice',
            constraint=models.UniqueConstraint(fields=('change', 'subscription'), name='price_notice_once'),
        ),
    ]
