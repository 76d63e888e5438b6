from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("billing", "0049_names"),
    ]

    operations = [
        migrations.AlterField(
            model_name="alert",
            name="kind",
            field=models.CharField(
                choices=[
                    ("parked_jobs", "jobs need staff"),
                    ("old_job", "a job waits too long"),
                    ("by_hand", "a task by hand is overdue"),
                    ("server", "a dialler does not answer"),
                    ("drift", "drift"),
                    ("unknown", "unknown accounts"),
                    ("surplus", "credit nobody granted"),
                    ("heartbeat", "no sign of life"),
                    ("events", "gateway events stand still"),
                    ("refunds", "refunds need staff"),
                    ("run", "the calendar is stopped"),
                    ("invariant", "an invariant is violated"),
                    ("test", "a test"),
                ],
                max_length=12,
                verbose_name="kind",
            ),
        ),
    ]
