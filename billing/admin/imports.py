"""The sheet "Import accounts": what each line would become, and then what it became."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing import imports
from billing.imports import Found
from billing.models import Subscription
from packages import clock
from packages.desk import Impossible
from packages.desk.door import demand_fresh_proof
from packages.desk.sheets import Sheet, register
from packages.models import Cycle, Package
from provisioning.dialler.base import DiallerError
from provisioning.models import Server
from provisioning.models.audit import FIELDS

# More would keep the browser waiting; the command takes any number.
MOST_LINES = 500
DAY = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")


class ListForm(forms.Form):
    """The list, and what counts where a line leaves it out."""

    server = forms.ModelChoiceField(
        Server.objects.order_by("name"),
        label=gettext_lazy("Dialler"),
        empty_label=gettext_lazy("Choose…"),
    )
    package = forms.ModelChoiceField(
        Package.objects.filter(tariff__isnull=False).order_by("position"),
        label=gettext_lazy("Package"),
        empty_label=gettext_lazy("as each line says"),
        to_field_name="slug",
        required=False,
    )
    cycle = forms.ChoiceField(
        label=gettext_lazy("Billing cycle"),
        choices=[("", gettext_lazy("as each line says")), *Cycle.choices],
        required=False,
    )
    start = forms.DateField(label=gettext_lazy("Running since"), required=False, widget=DAY)
    lines = forms.CharField(
        label=gettext_lazy("Usernames, or lines of a CSV file"),
        help_text=gettext_lazy(
            "A username on each line; or with a first line that names the columns: "
            "username, email, package, cycle, start. What a line leaves out is taken from above; "
            "without an e-mail address the one at the dialler counts."
        ),
        widget=forms.Textarea(attrs={"rows": 12, "spellcheck": "false"}),
    )

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = super().clean() or self.cleaned_data
        package, start = given.get("package"), given.get("start")
        usual = {
            "package": package.slug if package else "",
            "cycle": given.get("cycle", ""),
            "start": start.isoformat() if start else "",
        }
        try:
            given["rows"] = imports.read(given.get("lines", ""), usual)
        except imports.Unreadable as error:
            raise ValidationError(str(error)) from error
        if len(given["rows"]) > MOST_LINES:
            words = {"most": MOST_LINES}
            raise ValidationError(_("Up to %(most)s lines at once; more by the command.") % words)
        return given


@dataclass(frozen=True, slots=True)
class Line:
    """A row of the report: what it became, would become, or why it cannot."""

    found: Found
    service: Subscription | None
    problem: str

    @property
    def differs(self) -> list[str]:
        """Return by name in what the account is not as its package says."""
        return [str(FIELDS.get(each, each)) for each in self.found.differs]


@register
class ImportAccounts(Sheet):
    code = "import-accounts"
    label = gettext_lazy("Import accounts")
    right = "billing.add_order"
    template = "admin/import_accounts.html"

    def answer(self, request: HttpRequest) -> HttpResponse:
        demand_fresh_proof(request)
        return super().answer(request)

    def told(self, request: HttpRequest) -> dict[str, Any]:
        form = ListForm(request.POST if request.method == "POST" else None)
        if not form.is_valid():
            return {"form": form}
        imported = "import" in request.POST
        try:
            lines = _report(form.cleaned_data, f"staff:{request.user.pk}", imported=imported)
        except DiallerError as error:
            form.add_error("server", _("The dialler gave no list: %(why)s") % {"why": error.reason})
            return {"form": form}
        done = sum(not each.problem for each in lines)
        return {"form": form, "report": lines, "done": done, "imported": imported}


def _report(given: dict[str, Any], actor: str, *, imported: bool) -> Sequence[Line]:
    found = list(imports.check(given["rows"], given["server"], at=clock.now()))
    if not imported:
        return [Line(each, None, each.problem) for each in found]
    return [_adopted(each, given["server"], actor) for each in found]


def _adopted(found: Found, server: Server, actor: str) -> Line:
    try:
        service = imports.adopt(found, server, at=clock.now(), actor=actor)
    except Impossible as error:
        return Line(found, None, str(error))
    return Line(found, service, "")
