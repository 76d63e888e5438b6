"""What may move on an issued invoice: its state, its money, and when dunning looks at it again."""

from django.db import migrations

FINAL = """
CREATE OR REPLACE FUNCTION invoice_is_final() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    moving text[] := ARRAY['state', 'paid_minor', 'paid_at', 'credited_minor',
                           'written_off_minor'{more}];
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
    dependencies = [("billing", "0017_numbers_and_write_offs")]

    operations = [
        migrations.RunSQL(
            FINAL.replace("{more}", ", 'next_step_on'"), FINAL.replace("{more}", "")
        ),
    ]
