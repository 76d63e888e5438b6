"""A list of the desk as a file: its rows with its search, filters and order, but all pages."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from typing import Any

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils import timezone
from django.utils.functional import Promise

from packages.desk import downloads
from packages.desk.tables import Value, as_file

FILE = "file"
# A heading, and where the value is: `total`, `customer.email`.
Column = tuple[str | Promise, str]


def listed(
    page: "admin.ModelAdmin[Any]", request: HttpRequest, columns: Sequence[Column]
) -> HttpResponse:
    """Return the list that was asked for as CSV, safe for spreadsheets (`tables.as_file`), and note
    who took it.
    """
    if not page.has_view_or_change_permission(request):
        raise PermissionDenied
    asked = request.GET.copy()
    del asked[FILE]
    request.GET = asked  # type: ignore[assignment]
    try:
        found = page.get_changelist_instance(request).queryset.iterator(chunk_size=1000)
    except IncorrectLookupParameters:
        # As the list itself answers a filter that it does not have.
        return HttpResponseRedirect(request.path)
    name = str(page.opts.verbose_name_plural).replace(" ", "-")
    rows = list(_values(found, columns))
    downloads.note(request, f"{name}.csv", len(rows))
    return as_file([head for head, _path in columns], rows, name=name)


def _values(rows: Iterable[Any], columns: Sequence[Column]) -> Iterator[list[Value]]:
    for row in rows:
        yield [_value(row, path) for _head, path in columns]


def _value(row: Any, path: str) -> Value:
    for name in path.split("."):
        row = getattr(row, name, None)
        row = row() if callable(row) else row
    if isinstance(row, datetime):
        return timezone.localtime(row).strftime("%Y-%m-%d %H:%M")
    if isinstance(row, date):
        return row.isoformat()
    return row  # type: ignore[no-any-return]
