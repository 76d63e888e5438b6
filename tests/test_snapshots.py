"""Rows are put back whatever a test has done to the sessions of its database."""

from django.db import connection

from billing.models import Brand
from tests import snapshots


def test_what_a_test_ended_is_begun_again(transactional_db: None) -> None:
    snapshots.wipe()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    snapshots.put_back("seeded")
    assert Brand.objects.exists()
