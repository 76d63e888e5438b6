"""Whether every invariant holds, asked of the database by one function.

Planning sixty queries takes ten times as long as answering them in a test's few rows. What a
function says is planned once in a session, and hundreds of tests ask in the same one.
"""

from __future__ import annotations

from django.db import connection

from billing import invariants
from billing.invariants import INVARIANTS, Finding

# A plan made for few rows does not suit many; beyond this each query is planned for what is there.
FEW_STEPS = 2_000
HOW_TO_ASK = """
CREATE FUNCTION bare.doubtful() RETURNS bool LANGUAGE plpgsql STABLE AS $body$ BEGIN
  IF (SELECT count(*) FROM packages_statechange) > {most} THEN RETURN true; END IF;
  {questions}
  RETURN false;
END $body$"""
QUESTION = "IF EXISTS ({sql}) THEN RETURN true; END IF;"

closely = invariants.violations


def keep() -> None:
    """Make the function, in the schema of the rows that are kept."""
    questions = "\n".join(QUESTION.format(sql=each.sql) for each in INVARIANTS)
    with connection.cursor() as cursor:
        cursor.execute(HOW_TO_ASK.format(most=FEW_STEPS, questions=questions))


def violations() -> list[Finding]:
    """Return what `invariants.violations` does, which is asked only where something is found."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT bare.doubtful()")
        (doubtful,) = cursor.fetchone() or (True,)
    return closely() if doubtful else []
