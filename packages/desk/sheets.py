"""Sheets: pages of the desk that belong to no model, such as reports and logs."""

from typing import Any, ClassVar, TypeVar

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.functional import Promise


class Sheet:
    """One such page. `code` is its address below the desk's; whoever has the `right` sees it."""

    code: ClassVar[str]
    label: ClassVar[str | Promise]
    right: ClassVar[str]
    template: ClassVar[str]
    # Others are reached from a page that leads to them.
    listed: ClassVar[bool] = True

    def takes_over(self, request: HttpRequest) -> bool:
        """Say whether the reader is led here before they see the desk."""
        return False

    def told(self, request: HttpRequest) -> dict[str, Any]:
        """Return what the template shows."""
        return {}

    def answer(self, request: HttpRequest) -> HttpResponse:
        """Return the page; a sheet that also gives files or takes forms does so here."""
        context = {**admin.site.each_context(request), "title": self.label, "sheet": self}
        return TemplateResponse(request, self.template, {**context, **self.told(request)})

    def view(self, request: HttpRequest) -> HttpResponse:
        if not request.user.has_perm(self.right):
            raise PermissionDenied
        return self.answer(request)

    @property
    def name(self) -> str:
        return f"sheet_{self.code.replace('-', '_')}"

    @property
    def url(self) -> str:
        return reverse(f"admin:{self.name}")


Kind = TypeVar("Kind", bound=type[Sheet])
SHEETS: list[Sheet] = []


def register(kind: Kind) -> Kind:
    """Give the desk a sheet; used as a decorator by modules that the admin discovers."""
    SHEETS.append(kind())
    return kind
