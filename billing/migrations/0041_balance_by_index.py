"""Look a posting's siblings up by their index, whatever the planner believes of the table.

A plan that a session made while the table was small reads the whole of it for every row of a large
batch: committing a day of some thousand invoices then took longer than making them.
"""

from django.db import migrations

BY_INDEX = "ALTER FUNCTION posting_sums_to_zero() SET enable_seqscan = off"
AS_PLANNED = "ALTER FUNCTION posting_sums_to_zero() RESET enable_seqscan"


class Migration(migrations.Migration):
    dependencies = [("billing", "0040_credit_before")]

    operations = [migrations.RunSQL(BY_INDEX, AS_PLANNED)]
