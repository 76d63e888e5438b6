"""The ledger is append-only and sums to zero; what was issued never changes. Also for raw SQL."""

from django.db import migrations

LEDGER = """
CREATE TRIGGER ledgertransaction_append_only BEFORE UPDATE OR DELETE ON billing_ledgertransaction
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER posting_append_only BEFORE UPDATE OR DELETE ON billing_posting
    FOR EACH ROW EXECUTE FUNCTION refuse_change();

CREATE FUNCTION posting_sums_to_zero() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT 1 FROM billing_posting p JOIN billing_ledgeraccount a ON a.id = p.account_id
        WHERE p.transaction_id = NEW.transaction_id
        GROUP BY a.currency HAVING sum(p.amount_minor) <> 0
    ) THEN
        RAISE EXCEPTION 'ledger transaction % does not sum to zero', NEW.transaction_id
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER posting_sums_to_zero AFTER INSERT ON billing_posting
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION posting_sums_to_zero();
"""
LEDGER_BACK = """
DROP TRIGGER posting_sums_to_zero ON billing_posting;
DROP FUNCTION posting_sums_to_zero();
DROP TRIGGER posting_append_only ON billing_posting;
DROP TRIGGER ledgertransaction_append_only ON billing_ledgertransaction;
"""

# Only state and payment may move once there is a number; everything else is compared as one row.
INVOICES = """
CREATE FUNCTION invoice_is_final() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.number IS NULL THEN
        RETURN COALESCE(NEW, OLD);
    END IF;
    IF TG_OP = 'DELETE' OR
       to_jsonb(OLD) - ARRAY['state', 'paid_minor', 'paid_at'] IS DISTINCT FROM
       to_jsonb(NEW) - ARRAY['state', 'paid_minor', 'paid_at'] THEN
        RAISE EXCEPTION 'invoice % was issued and never changes', OLD.number
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER invoice_is_final BEFORE UPDATE OR DELETE ON billing_invoice
    FOR EACH ROW EXECUTE FUNCTION invoice_is_final();

CREATE FUNCTION invoice_part_is_final() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT 1 FROM billing_invoice
        WHERE number IS NOT NULL
          AND id IN (CASE WHEN TG_OP = 'INSERT' THEN NEW.invoice_id ELSE OLD.invoice_id END,
                     CASE WHEN TG_OP = 'DELETE' THEN OLD.invoice_id ELSE NEW.invoice_id END)
    ) THEN
        RAISE EXCEPTION 'a part of an issued invoice never changes'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN COALESCE(NEW, OLD);
END $$;
CREATE TRIGGER invoiceline_is_final BEFORE INSERT OR UPDATE OR DELETE ON billing_invoiceline
    FOR EACH ROW EXECUTE FUNCTION invoice_part_is_final();
CREATE TRIGGER invoicetax_is_final BEFORE INSERT OR UPDATE OR DELETE ON billing_invoicetax
    FOR EACH ROW EXECUTE FUNCTION invoice_part_is_final();
"""
INVOICES_BACK = """
DROP TRIGGER invoicetax_is_final ON billing_invoicetax;
DROP TRIGGER invoiceline_is_final ON billing_invoiceline;
DROP FUNCTION invoice_part_is_final();
DROP TRIGGER invoice_is_final ON billing_invoice;
DROP FUNCTION invoice_is_final();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("billing", "0001_initial"),
        ("packages", "0002_history_append_only"),
    ]
    operations = [
        migrations.RunSQL(LEDGER, LEDGER_BACK),
        migrations.RunSQL(INVOICES, INVOICES_BACK),
    ]
