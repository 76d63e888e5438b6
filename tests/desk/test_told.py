"""What a list reads at once is of its reader's language."""

from __future__ import annotations

from collections.abc import Iterable

from django.utils.translation import get_language, override

from packages.desk.told import Told


def test_what_one_reader_read_is_not_told_to_another() -> None:
    asked: list[list[str]] = []

    def tell(codes: Iterable[str]) -> dict[str, str]:
        asked.append(list(codes))
        return {code: f"{code} ({get_language()})" for code in asked[-1]}

    with override("en"):
        told = Told(tell, ["paid", "sent"])
        assert (told["paid"], told["sent"]) == ("paid (en)", "sent (en)")
        assert asked == [["paid", "sent"]]
        assert told["failed"] == "failed (en)"
    with override("de"):
        assert told["paid"] == "paid (de)"
