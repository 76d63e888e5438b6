"""Filters of lists whose rows hold codes, by the names that readers know."""

from collections.abc import Iterator
from typing import Any

from django.contrib import admin

from packages.desk.pages import CODES


class CodeFilter(admin.AllValuesFieldListFilter):
    """Rows of one country or one language, by its name."""

    def choices(self, changelist: Any) -> Iterator[Any]:
        names = {code: str(name) for code, name in CODES[self.field.name]()}
        for choice in super().choices(changelist):
            yield {**choice, "display": names.get(str(choice["display"]), choice["display"])}
