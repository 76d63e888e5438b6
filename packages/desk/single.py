"""Pages of settings of which there is one row."""

from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.text import capfirst

from packages.desk.pages import Page


class OnlyRow(Page):
    """The one row is called as its kind, and its list is its form."""

    def heading(self, row: Any) -> str:
        return capfirst(str(self.opts.verbose_name))

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        row = self.model._default_manager.first()
        name = f"admin:{self.opts.app_label}_{self.opts.model_name}"
        address = reverse(f"{name}_change", args=[row.pk]) if row else reverse(f"{name}_add")
        return HttpResponseRedirect(address)
