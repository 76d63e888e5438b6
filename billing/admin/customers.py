"""Customers: who is billed, and everything that belongs to them."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.forms.models import BaseInlineFormSet
from django.http import HttpRequest, HttpResponse
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.text import capfirst
from django.utils.timezone import localtime
from django.utils.translation import gettext_lazy as _

from billing import dossier, ledger, pauses
from billing.admin import top_ups
from billing.admin.dunning import PauseDunning, today
from billing.admin.users import OfMember
from billing.admin.viewing import SeeTheShop
from billing.models import Customer, Invoice, LedgerAccount, Membership, Remark, current_brand
from packages import clock, countries
from packages.desk import reasons
from packages.desk.cells import EMPTY, amount, counted, language, lines
from packages.desk.deeds import Deed, DeedForm, Text
from packages.desk.filters import CodeFilter
from packages.desk.pages import ByActor, Page, ReadOnlyPage

# Django's own form classes take no parameters while running.
if TYPE_CHECKING:
    BaseFormSet = BaseInlineFormSet[Membership, Customer, Any]
else:
    BaseFormSet = BaseInlineFormSet

Kind = LedgerAccount.Kind


class MembershipForms(BaseFormSet):
    def clean(self) -> None:
        """Refuse to leave users behind without an owner; nobody could manage them."""
        super().clean()
        given = [each.cleaned_data for each in self.forms if each.cleaned_data]
        roles = [each["role"] for each in given if not each.get("DELETE")]
        if roles and Membership.Role.OWNER not in roles:
            raise ValidationError(_("One of them must be the owner."))


class Memberships(OfMember):
    formset = MembershipForms
    autocomplete_fields = ("user",)


class RemarkForm(DeedForm):
    text = forms.CharField(
        label=_("Remark"), max_length=4000, widget=forms.Textarea(attrs={"rows": 5})
    )


class AddRemark(Deed):
    code = "remark"
    label = _("Add a remark…")
    form = RemarkForm

    def offered(self, row: Customer) -> bool:
        return True

    def effects(self, row: Customer) -> Sequence[Text]:
        return [_("Staff see it on the customer's page; the customer does not. It stays.")]

    def carry_out(self, row: Customer, given: dict[str, Any], *, at: datetime, actor: str) -> Text:
        Remark.objects.create(customer=row, text=given["text"], at=at, actor=actor)
        return _("The remark is kept.")


@admin.register(Customer)
class CustomerPage(Page):
    inlines = (Memberships, top_ups.Limits)
    deeds = (SeeTheShop(), AddRemark(), top_ups.SetTopUpLimit(), PauseDunning())
    list_display = ("customer", "email", "land", "is_business", "tongue", "created_at")
    exported = (
        (_("name"), "name"),
        (_("company"), "company"),
        (_("e-mail for invoices"), "email"),
        (_("phone"), "phone"),
        (_("street and number"), "street"),
        (_("address line 2"), "extra"),
        (_("postcode"), "postcode"),
        (_("city"), "city"),
        (_("country"), "country"),
        (_("VAT number"), "vat_id"),
        (_("language"), "language"),
        (_("since"), "created_at"),
    )
    list_filter = ("is_business", ("country", CodeFilter), ("language", CodeFilter))
    spare = ("tongue", "created_at")
    search_fields = ("name", "company", "email", "vat_id", "memberships__user__email")
    change_form_template = "admin/customer.html"
    fieldsets = (
        (None, {"fields": (("name", "company"), ("email", "phone"), "language")}),
        (
            _("Address on invoices"),
            {"fields": ("street", "extra", ("postcode", "city"), "country")},
        ),
        (_("Tax"), {"fields": (("is_business", "vat_id"),)}),
        (_("Dunning"), {"fields": ("timetable",)}),
    )

    @admin.display(description=_("country"), ordering="country")
    def land(self, row: Customer) -> str:
        return countries.name(row.country)

    @admin.display(description=_("language"), ordering="language")
    def tongue(self, row: Customer) -> str:
        return language(row.language)

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, str | list[str]]:
        """Begin a new customer in the operator's country."""
        return {"country": current_brand().country, **super().get_changeform_initial_data(request)}

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        row = self.get_object(request, object_id)
        parts = dossier.of(row, request.user.has_perm, on=today()) if row is not None else []
        more = {"parts": parts, "facts": self._facts(row), **(extra_context or {})}
        return super().change_view(request, object_id, form_url, more)

    def _facts(self, row: Customer | None) -> list[tuple[Text, Any]]:
        """Return what whoever has the customer on the telephone wants to see first."""
        if row is None:
            return []
        pays = _("yes, on the day it is due") if row.pays_automatically else _("no")
        return [
            (_("Number"), row.pk),
            (_("E-mail"), format_html('<a href="mailto:{0}">{0}</a>', row.email)),
            (_("Phone"), _telephone(row.phone)),
            (_("Owes"), self.owed(row)),
            (_("Paid too much"), self.credit(row)),
            (_("Saved payment methods"), self.methods(row)),
            (_("Automatic payment"), pays),
            (_("Since"), date_format(localtime(row.created_at))),
        ]

    def save_model(self, request: HttpRequest, obj: Customer, form: Any, change: bool) -> None:
        if not change:
            obj.created_at = clock.now()
        super().save_model(request, obj, form, change)
        if "timetable" in form.changed_data:
            pauses.look_again(Invoice.objects.filter(customer=obj), on=today())

    def formfield_for_dbfield(self, db_field: Any, request: Any, **kwargs: Any) -> Any:
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        # Django puts no colon after a full stop, also where it ends an abbreviation.
        if field is not None and str(field.label).endswith("."):
            field.label = f"{field.label}:"
        return field

    def formfield_for_foreignkey(self, db_field: Any, request: Any, **kwargs: Any) -> Any:
        if db_field.name == "timetable":
            kwargs["empty_label"] = _("as for everybody")
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @admin.display(description=_("customer"), ordering="name")
    def customer(self, row: Customer) -> str:
        return str(row)

    @admin.display(description=_("owes"))
    def owed(self, row: Customer) -> str:
        return _balances(row, Kind.RECEIVABLE)

    @admin.display(description=_("paid too much"))
    def credit(self, row: Customer) -> str:
        return _balances(row, Kind.CUSTOMER_CREDIT)

    @admin.display(description=_("saved payment methods"))
    def methods(self, row: Customer) -> str:
        return counted(row.methods.all(), customer__id__exact=row.pk)


def _telephone(number: str) -> str:
    if not number:
        return EMPTY
    return format_html('<a href="tel:{}">{}</a>', "".join(number.split()), number)


def _balances(customer: Customer, kind: LedgerAccount.Kind) -> str:
    """Return the customer's books of that kind; what is owed to them is shown positive."""
    sums = [
        ledger.balance(kind, customer=customer, currency=book.currency)
        for book in customer.books.filter(kind=kind).order_by("currency")
    ]
    return lines([amount(-each if kind == Kind.CUSTOMER_CREDIT else each) for each in sums])


@admin.register(Remark)
class RemarkPage(ByActor, ReadOnlyPage):
    list_display = ("said", "customer", "by", "at")
    list_select_related = ("customer",)
    search_fields = ("text", "customer__name", "customer__company")
    fields = ("customer", "said", "by", "at")
    readonly_fields = ("said", "by")

    def heading(self, row: Remark) -> str:
        return f"{capfirst(str(self.opts.verbose_name))} · {row.customer}"

    @admin.display(description=_("text"))
    def said(self, row: Remark) -> str:
        """What staff wrote, as it stands; what the shop noted itself, in the reader's language."""
        return reasons.told(row.text)
