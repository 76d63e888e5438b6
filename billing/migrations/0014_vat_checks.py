"""What the register says about VAT ids."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('billing', '0013_standing_orders'),
    ]

    operations = [
        migrations.CreateModel(
            name='VatCheck',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('vat_id', models.CharField(max_length=20, verbose_name='VAT id')),
                ('state', models.CharField(choices=[('waiting', 'waiting'), ('valid', 'valid'), ('invalid', 'not valid')], default='waiting', max_length=10, verbose_name='state')),
                ('consultation', models.CharField(blank=True, max_length=60, verbose_name='consultation number')),
                ('name', models.CharField(blank=True, max_length=200, verbose_name='name')),
                ('address', models.CharField(blank=True, max_length=300, verbose_name='address')),
                ('simulated', models.BooleanField(default=False, verbose_name='simulated')),
                ('created_at', models.DateTimeField(verbose_name='asked')),
                ('answered_at', models.DateTimeField(null=True, verbose_name='answered')),
                ('next_attempt_at', models.DateTimeField(null=True)),
                ('attempts', models.PositiveSmallIntegerField(default=0)),
                ('note', models.CharField(blank=True, max_length=200, verbose_name='note')),
            ],
            options={
                'verbose_name': 'VAT id check',
                'verbose_name_plural': 'VAT id checks',
                'ordering': ['-id'],
                'indexes': [models.Index(fields=['vat_id', 'answered_at'], name='vat_check_of_id')],
                'constraints': [models.UniqueConstraint(condition=models.Q(('state', 'waiting')), fields=('vat_id',), name='vat_check_one_waiting'), models.CheckConstraint(condition=models.Q(models.Q(('answered_at__isnull', True), ('state', 'waiting')), models.Q(models.Q(('state', 'waiting'), _negated=True), ('answered_at__isnull', False)), _connector='OR'), name='vat_check_answered')],
            },
        ),
    ]
