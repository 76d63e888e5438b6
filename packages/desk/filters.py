"""Filters of lists whose rows hold codes or nothing, by the names that readers know."""

from collections.abc import Iterator
from typing import Any, ClassVar

from django.apps import apps
from django.contrib import admin
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from packages.desk.pages import CODES


class CodeFilter(admin.AllValuesFieldListFilter):
    """Rows of one country or one language, by its name."""

    def choices(self, changelist: Any) -> Iterator[Any]:
        for choice in super().choices(changelist):
            yield {**choice, "display": self.name_of(str(choice["display"]))}

    def name_of(self, code: str) -> str:
        return {code: str(name) for code, name in CODES[self.field.name]()}.get(code, code)


class ModelFilter(CodeFilter):
    """Rows about one kind of row, whose label they keep."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.title = _("about")

    def name_of(self, code: str) -> str:
        return str(apps.get_model(code)._meta.verbose_name) if "." in code else code


class KeptFilter(admin.EmptyFieldListFilter):
    """Rows that keep nothing in a field, and those that keep something; in words of their own."""

    empty: ClassVar[Promise]
    kept: ClassVar[Promise]

    def choices(self, changelist: Any) -> Iterator[Any]:
        words = (None, self.empty, self.kept)
        for choice, word in zip(super().choices(changelist), words, strict=True):
            yield {**choice, "display": word or choice["display"]}
