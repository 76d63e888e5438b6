"""What staff fill in to make a package. A draft may lack anything but its name."""

from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.contrib.admin.widgets import RelatedFieldWidgetWrapper
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing.models import current_brand
from packages.models import Package, Service, Tariff
from provisioning import servers
from provisioning.admin import roles
from storefront.admin.price_table import PriceTable

if TYPE_CHECKING:
    ModelForm = forms.ModelForm[Package]
else:
    ModelForm = forms.ModelForm

Kind = Package.Kind
UNITS = ("voice_minutes", "fax_pages", "sms_messages", "email_messages")


class PackageForm(ModelForm):
    """The package with its prices. A tariff that the shop does not know yet is made with it."""

    services = forms.MultipleChoiceField(
        label=gettext_lazy("Services"),
        choices=Service.choices,
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    new_tariff = forms.CharField(
        label=gettext_lazy("Or a new tariff"),
        max_length=80,
        required=False,
        help_text=gettext_lazy("Its name here, and beside it the rate plan's id at the dialler."),
    )
    new_plan = forms.CharField(
        label=gettext_lazy("Plan id at the dialler"), max_length=64, required=False
    )

    trusts_role = forms.BooleanField(
        label=gettext_lazy("I trust every buyer of this package with the dialler"),
        required=False,
        widget=forms.HiddenInput,
    )

    class Meta:
        model = Package
        fields = "__all__"
        widgets: ClassVar[dict[str, Any]] = {
            "allowance": forms.RadioSelect,
            "exchange_targets": forms.CheckboxSelectMultiple,
            "description_en": forms.Textarea(attrs={"rows": 4}),
            "description_de": forms.Textarea(attrs={"rows": 4}),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.prices = PriceTable(self.instance, current_brand().currency_list)
        self.prices.add_to(self)
        for name, field in self.fields.items():
            _leave_alone(field.widget, may_add=name == "group")
        if self.instance.kind == Kind.TOP_UP and "archived" in self.fields:
            self.fields["archived"].help_text = _("Not sold any more.")
        if "role" in self.fields:
            self.fields["role"] = _role_field(self.instance.role)
        if "exchange_targets" in self.fields:
            targets: Any = self.fields["exchange_targets"]
            targets.queryset = Package.objects.filter(
                kind=Kind.SUBSCRIPTION, draft=False, archived=False
            )

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = super().clean() or self.cleaned_data
        self.prices.check(self)
        self._check_tariff(given)
        self._check_role(given)
        if not self.instance.draft and not self.errors:
            self._demand_all(given)
        return given

    def validate_constraints(self) -> None:
        """Leave the tariff to the database where it is only made while saving."""
        if not self.cleaned_data.get("new_tariff"):
            super().validate_constraints()

    def save(self, commit: bool = True) -> Package:
        name = self.cleaned_data.get("new_tariff")
        if name:
            plan = self.cleaned_data["new_plan"]
            self.instance.tariff = Tariff.objects.create(name=name, remote_id=plan)
        return super().save(commit)

    def _check_tariff(self, given: dict[str, Any]) -> None:
        name, plan = given.get("new_tariff"), given.get("new_plan")
        if bool(name) != bool(plan):
            where = "new_plan" if name else "new_tariff"
            self.add_error(where, _("A new tariff needs both its name and its plan id."))
        if name and Tariff.objects.filter(name=name).exists():
            self.add_error("new_tariff", _("There is a tariff of this name: choose it above."))

    def _check_role(self, given: dict[str, Any]) -> None:
        """A role that rules the dialler is sold only after the box that appears with this error."""
        role = given.get("role") or ""
        if role == self.instance.role or not servers.administers(role):
            return
        self.fields["trusts_role"].widget = forms.CheckboxInput()
        if not given.get("trusts_role"):
            self.add_error("role", roles.rules_dialler(role, servers.roles_known()))

    def _demand_all(self, given: dict[str, Any]) -> None:
        """What is not a draft is sold, or was: it says all that a buyer's account needs."""
        if not self.prices.has_price(self) and given.get("visible"):
            self.add_error(None, _("A package on sale has a price: enter one, or hide it."))
        if self.instance.kind == Kind.TOP_UP or "channels" not in given:
            return
        if not given.get("tariff") and not given.get("new_tariff"):
            self.add_error("tariff", _("An account is rated by a tariff: choose one."))
        if not given["channels"]:
            self.add_error("channels", _("An account needs channels to call: enter 1 or more."))
        if not given["services"]:
            self.add_error("services", _("Tick what the account may send: one service or more."))


def _leave_alone(widget: Any, *, may_add: bool) -> None:
    """What is chosen here is edited, looked at and deleted on its own page."""
    if isinstance(widget, RelatedFieldWidgetWrapper):
        widget.can_change_related = widget.can_view_related = widget.can_delete_related = False
        widget.can_add_related = widget.can_add_related and may_add


def _role_field(current: str) -> forms.Field:
    untold = _("Role id for new accounts; empty takes the server's default. Test a server's "
               "connection, and its roles are offered here.")  # fmt: skip
    return roles.field(
        servers.roles_known(),
        current,
        label=_("Role at the dialler"),
        nothing=_("the server's default"),
        untold=untold,
    )
