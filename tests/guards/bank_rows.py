"""A layout, a statement file and one entry of it."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from billing.models import BankEntry, StatementFile, StatementLayout


def make(rows: dict[str, Any], on: date, at: datetime) -> None:
    rows["layout"] = StatementLayout.objects.get(name="Commerzbank")
    rows["statementfile"] = StatementFile.objects.create(
        name="a.xml", content=b"", state=StatementFile.State.FAILED, handed_in_at=at
    )
    rows["bankentry"] = BankEntry.objects.create(
        file=rows["statementfile"],
        key="1",
        booked_on=on,
        amount_minor=49_00,
        currency="EUR",
        state=BankEntry.State.OPEN,
    )
