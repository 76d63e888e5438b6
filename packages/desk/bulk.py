"""A deed done to several rows of a list, behind a page that says what will happen to each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db import models
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from packages.desk import Impossible
from packages.desk.cells import amount, link, row_url
from packages.desk.deeds import Deed, DeedForm, Text
from packages.desk.door import demand_fresh_proof
from packages.money import Money

# As many as a person can read before they press the button.
MOST = 200
# Does the deed to one row and returns what to tell; what is at stake counts for all together.
Do = Callable[[models.Model, DeedForm, Money | None], Text]


@dataclass(frozen=True, slots=True)
class Chosen:
    """A chosen row, what the deed does to it, and what is known about it."""

    row: models.Model
    effects: Sequence[Text]
    facts: Sequence[tuple[Text, Any]]
    weight: Money | None

    @property
    def url(self) -> str:
        return row_url(self.row)


def answer(
    request: HttpRequest,
    rows: models.QuerySet[Any],
    deed: Deed,
    *,
    do: Do,
    context: dict[str, Any],
) -> HttpResponse | None:
    """Show the deed's page for these rows; once it is confirmed, do it to each by itself.

    A row that the deed does not fit is named and left alone. None leads back to the list.
    """
    found = list(rows[: MOST + 1])
    if len(found) > MOST:
        messages.warning(request, _("Choose %(most)s at most.") % {"most": MOST})
        return None
    if deed.guarded:
        demand_fresh_proof(request)
    fit = [_chosen(row, deed) for row in found if deed.offered(row)]
    unfit = [row for row in found if not deed.offered(row)]
    form = deed.form(request.POST if "confirmed" in request.POST else None)
    sums = _sums(fit)
    if fit and form.is_valid():
        for row in unfit:
            told = _("%(row)s is not as it was when you looked: it was left alone.")
            messages.warning(request, told % {"row": row})
        _do_all(request, fit, form, sums, do)
        return HttpResponseRedirect(request.get_full_path())
    same = bool(fit) and all(each.effects == fit[0].effects for each in fit)
    shown = {
        "title": deed.name,
        "deed": deed,
        "form": form,
        "fit": fit,
        "unfit": unfit,
        "names": [capfirst(str(label)) for label, _value in fit[0].facts] if fit else [],
        "effects": fit[0].effects if same else (),
        "sums": [amount(each) for each in sums.values()],
        "action": request.POST.get("action", ""),
        "checkbox": ACTION_CHECKBOX_NAME,
        "back": request.get_full_path(),
    }
    return TemplateResponse(request, "admin/bulk.html", {**context, **shown})


def _chosen(row: models.Model, deed: Deed) -> Chosen:
    effects = [str(each) for each in deed.effects(row)]
    # What the row is stands before its facts already.
    facts = [(label, value) for label, value in deed.facts(row) if value != link(row)]
    return Chosen(row, effects, facts, deed.weighs(row, {}))


def _sums(fit: Sequence[Chosen]) -> dict[str, Money]:
    """Return what is at stake together, by currency."""
    sums: dict[str, Money] = {}
    for each in fit:
        if each.weight is not None:
            code = each.weight.currency
            sums[code] = sums[code] + each.weight if code in sums else each.weight
    return sums


def _do_all(
    request: HttpRequest, fit: Sequence[Chosen], form: DeedForm, sums: dict[str, Money], do: Do
) -> None:
    done: dict[str, int] = {}
    for each in fit:
        stake = sums[each.weight.currency] if each.weight else None
        try:
            said = str(do(each.row, form, stake))
        except Impossible as error:
            messages.warning(request, f"{each.row}: {error} {_('Nothing was changed.')}")
        else:
            done[said] = done.get(said, 0) + 1
    for said, count in done.items():
        rows = ngettext("%(count)s row", "%(count)s rows", count) % {"count": count}
        messages.success(request, f"{rows}: {said}")
