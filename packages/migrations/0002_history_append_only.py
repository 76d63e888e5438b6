"""The history of states is append-only, also for raw SQL."""

from django.db import migrations

FORWARDS = """
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER statechange_append_only BEFORE UPDATE OR DELETE ON packages_statechange
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
"""
BACKWARDS = """
DROP TRIGGER statechange_append_only ON packages_statechange;
DROP FUNCTION refuse_change();
"""


class Migration(migrations.Migration):
    dependencies = [("packages", "0001_initial")]
    operations = [migrations.RunSQL(FORWARDS, BACKWARDS)]
