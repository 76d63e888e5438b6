"""How many of a package one account may have."""

import django.core.validators
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('packages', '0003_shop_clock'),
    ]

    operations = [
        migrations.AddField(
            model_name='package',
            name='max_quantity',
            field=models.PositiveSmallIntegerField(default=1, help_text='More than 1 lets customers order it several times on one account.', validators=[django.core.validators.MinValueValidator(1)], verbose_name='largest quantity'),
        ),
    ]
