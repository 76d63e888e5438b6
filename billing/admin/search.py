"""The sheet "Search": a customer and all that is theirs, by anything that names it."""

from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext_lazy as _

from billing import finding
from packages.desk.sheets import Sheet, register


@register
class Search(Sheet):
    code = "search"
    label = _("Search")
    right = "billing.view_customer"
    template = "admin/search.html"
    listed = False

    def answer(self, request: HttpRequest) -> HttpResponse:
        """Show what was found; go there at once where it is one row alone."""
        hits = finding.find(request.GET.get("q", ""))
        if len(hits) == 1:
            return HttpResponseRedirect(hits[0].url)
        return super().answer(request)

    def told(self, request: HttpRequest) -> dict[str, Any]:
        wanted = request.GET.get("q", "")
        return {"hits": finding.find(wanted), "wanted": wanted}
