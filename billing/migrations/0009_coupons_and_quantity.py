"""Coupons with their redemptions, and quantities of a package on one account."""

import django.contrib.postgres.fields
import django.core.validators
import django.db.models.deletion
import django.db.models.functions.math
import django.db.models.functions.text
import django.db.models.lookups
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('billing', '0008_timetables_and_runs'),
        ('packages', '0004_package_max_quantity'),
        ('provisioning', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='Coupon',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('code', models.CharField(help_text='Customers may type it in capitals or not.', max_length=40, validators=[django.core.validators.RegexValidator('^[A-Za-z0-9_-]{1,40}\\Z', 'Use letters, digits, - and _ only.')], verbose_name='code')),
                ('percent_bp', models.PositiveIntegerField(blank=True, help_text='1000 is 10 %. Empty for a fixed amount, which is entered per currency below.', null=True, validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(10000)], verbose_name='discount in hundredths of a percent')),
                ('cycles', models.PositiveSmallIntegerField(blank=True, default=1, help_text='1 is once, with the order; empty is for as long as the service renews.', null=True, validators=[django.core.validators.MinValueValidator(1)], verbose_name='number of invoices')),
                ('valid_from', models.DateField(blank=True, null=True, verbose_name='valid from')),
                ('valid_until', models.DateField(blank=True, null=True, verbose_name='valid until (last day)')),
                ('billing_cycles', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(choices=[('one_time', 'one time'), ('monthly', 'monthly'), ('quarterly', 'quarterly'), ('half_yearly', 'half-yearly'), ('yearly', 'yearly'), ('two_yearly', 'two-yearly')], max_length=12), blank=True, default=list, size=None, verbose_name='billing cycles')),
                ('new_customers', models.BooleanField(default=False, help_text='Only who has never ordered before.', verbose_name='first orders only')),
                ('max_orders', models.PositiveIntegerField(blank=True, help_text='Empty means as many as come.', null=True, verbose_name='orders in all')),
                ('max_orders_each', models.PositiveIntegerField(blank=True, default=1, null=True, verbose_name='orders per customer')),
                ('covers_setup', models.BooleanField(default=False, verbose_name='also for set-up fees')),
                ('covers_top_ups', models.BooleanField(default=False, verbose_name='also for top-ups')),
                ('active', models.BooleanField(default=True, verbose_name='active')),
            ],
            options={
                'verbose_name': 'coupon',
                'verbose_name_plural': 'coupons',
                'ordering': ['-id'],
            },
        ),
        migrations.CreateModel(
            name='CouponAmount',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('currency', models.CharField(max_length=3, verbose_name='currency')),
                ('amount_minor', models.BigIntegerField(default=0, help_text='For each service and invoice; 0 where a percentage is given.', validators=[django.core.validators.MinValueValidator(0)], verbose_name='discount in minor units')),
                ('minimum_minor', models.BigIntegerField(default=0, validators=[django.core.validators.MinValueValidator(0)], verbose_name='smallest order in minor units')),
            ],
            options={
                'verbose_name': 'amount',
                'verbose_name_plural': 'amounts by currency',
            },
        ),
        migrations.CreateModel(
            name='Redemption',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('currency', models.CharField(max_length=3)),
                ('percent_bp', models.PositiveIntegerField(null=True)),
                ('amount_minor', models.BigIntegerField(default=0)),
                ('cycles', models.PositiveSmallIntegerField(null=True)),
                ('created_at', models.DateTimeField(verbose_name='redeemed')),
                ('released_at', models.DateTimeField(null=True, verbose_name='given back')),
            ],
            options={
                'verbose_name': 'redemption',
                'verbose_name_plural': 'redemptions',
                'ordering': ['id'],
            },
        ),
        migrations.AddField(
            model_name='cartline',
            name='quantity',
            field=models.PositiveSmallIntegerField(default=1),
        ),
        migrations.AddField(
            model_name='orderline',
            name='quantity',
            field=models.PositiveSmallIntegerField(default=1),
        ),
        migrations.AddField(
            model_name='subscription',
            name='quantity',
            field=models.PositiveSmallIntegerField(default=1, verbose_name='quantity'),
        ),
        migrations.AlterField(
            model_name='invoiceline',
            name='kind',
            field=models.CharField(choices=[('recurring', 'period'), ('setup', 'set-up fee'), ('credit', 'credit'), ('package', 'package'), ('discount', 'discount')], max_length=12),
        ),
        migrations.AddConstraint(
            model_name='subscription',
            constraint=models.CheckConstraint(condition=models.Q(('quantity__gt', 0), django.db.models.lookups.Exact(django.db.models.functions.math.Mod('amount_minor', 'quantity'), 0)), name='subscription_amount_by_quantity'),
        ),
        migrations.AddField(
            model_name='coupon',
            name='packages',
            field=models.ManyToManyField(blank=True, help_text='None means all.', to='packages.package', verbose_name='packages'),
        ),
        migrations.AddField(
            model_name='cart',
            name='coupon',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, to='billing.coupon'),
        ),
        migrations.AddField(
            model_name='couponamount',
            name='coupon',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='amounts', to='billing.coupon'),
        ),
        migrations.AddField(
            model_name='redemption',
            name='coupon',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='redemptions', to='billing.coupon'),
        ),
        migrations.AddField(
            model_name='redemption',
            name='customer',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='redemptions', to='billing.customer'),
        ),
        migrations.AddField(
            model_name='redemption',
            name='order_line',
            field=models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='redemption', to='billing.orderline'),
        ),
        migrations.AddField(
            model_name='redemption',
            name='subscription',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='redemptions', to='billing.subscription'),
        ),
        migrations.AddField(
            model_name='invoiceline',
            name='redemption',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='discounts', to='billing.redemption'),
        ),
        migrations.AddConstraint(
            model_name='invoiceline',
            constraint=models.UniqueConstraint(fields=('invoice', 'redemption'), name='discount_once'),
        ),
        migrations.AddConstraint(
            model_name='invoiceline',
            constraint=models.UniqueConstraint(fields=('redemption', 'period_start_on'), name='discount_period_once'),
        ),
        migrations.AddConstraint(
            model_name='invoiceline',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('kind', 'discount'), _negated=True), ('corrects__isnull', False), models.Q(('redemption__isnull', False), ('unit_minor__lt', 0)), _connector='OR'), name='discount_takes_off'),
        ),
        migrations.AddConstraint(
            model_name='coupon',
            constraint=models.UniqueConstraint(django.db.models.functions.text.Upper('code'), name='coupon_code_once'),
        ),
        migrations.AddConstraint(
            model_name='couponamount',
            constraint=models.UniqueConstraint(fields=('coupon', 'currency'), name='coupon_amount_once'),
        ),
        migrations.AddConstraint(
            model_name='redemption',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('percent_bp__gt', 0), ('percent_bp__isnull', False), ('percent_bp__lte', 10000)), models.Q(('amount_minor__gt', 0), ('percent_bp__isnull', True)), _connector='OR'), name='redemption_takes_off'),
        ),
    ]
