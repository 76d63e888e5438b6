"""The package designer: begun from a pattern or a copy, filled in, previewed, published."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html_join
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing.models import current_brand
from packages import clock, drafts
from packages.desk.cells import EMPTY, lines, row_url
from packages.desk.deeds import Deed, Text
from packages.desk.pages import Page
from packages.models import Package, Price, Service
from packages.patterns import PATTERNS, pattern
from storefront.admin import previews
from storefront.admin.package_cells import in_words, shortest, state
from storefront.admin.package_form import UNITS, PackageForm

Kind = Package.Kind
NOTHING_CHOSEN = gettext_lazy("Choose what to begin from.")
PREVIEW = "admin:packages_package_preview"


class Publish(Deed):
    code, label, guarded = "publish", gettext_lazy("Publish…"), True

    def offered(self, row: Package) -> bool:
        return row.draft and not drafts.missing(row)

    def effects(self, row: Package) -> Sequence[Text]:
        return [
            _("Everybody sees the package in the shop at once, and can order it."),
            _("It can be hidden or archived later; whoever bought it keeps it."),
            *previews.warnings(row),
        ]

    def facts(self, row: Package) -> Sequence[tuple[Text, Any]]:
        sold: dict[str, list[str]] = {}
        for each in row.prices.all():
            if not each.archived:
                sold.setdefault(each.currency, []).append(in_words(each))
        told = [
            (_("Prices in %(currency)s") % {"currency": code}, lines(sold[code])) for code in sold
        ]
        return [(_("Package"), str(row)), *told]

    def carry_out(self, row: Package, given: dict[str, Any], *, at: datetime, actor: str) -> Text:
        drafts.publish(row)
        return _("“%(package)s” is on sale.") % {"package": row}


class BeginForm(forms.Form):
    """From what a new package is made: a pattern, or a package that there is."""

    source = forms.CharField(
        error_messages={"required": gettext_lazy("Choose what to begin from.")}
    )

    def clean_source(self) -> str:
        source: str = self.cleaned_data["source"]
        known = source in {each.code for each in PATTERNS}
        if not known and not (source.isdecimal() and Package.objects.filter(pk=source).exists()):
            raise forms.ValidationError(NOTHING_CHOSEN)
        return source


@admin.register(Package)
class PackagePage(Page):
    guarded = True
    form = PackageForm
    change_form_template = "admin/package.html"
    deeds = (Publish(),)
    list_display = ("name", "kind", "on_sale", "prices", "at_once", "can", "tariff")
    spare = ("at_once", "tariff")
    list_filter = ("kind", "group", "draft", "visible", "archived", "recommended")
    search_fields = ("slug", "name_en", "name_de")
    list_select_related = ("group", "tariff")

    @admin.display(description=gettext_lazy("name"), ordering="name_en")
    def name(self, row: Package) -> str:
        return str(row)

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.preview_view)
        return [
            path("<int:pk>/preview/", view, name="packages_package_preview"),
            *super().get_urls(),
        ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).prefetch_related("prices")

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Return what this kind of package has; a draft is in no shop yet."""
        sections: list[tuple[Any, Any]] = [(None, NAMES)]
        if obj is not None and obj.kind != Kind.TOP_UP:
            sections += [(_("What the account may do"), LIMITS), (_("Included"), _included(obj))]
        shop: Any = (("recommended", "position"),)
        if obj is not None and not obj.draft:
            shop = (("visible", "archived"), ("recommended", "position"))
        if obj is not None and obj.kind == Kind.SUBSCRIPTION:
            shop = (*shop, "exchange_targets")
        sections += [(_("In the shop"), {"fields": shop}), (_("Description"), DESCRIPTION)]
        return self.as_seen(request, obj, sections)

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Ask what to begin from; on POST make the draft and lead to it."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = BeginForm(request.POST or None)
        if form.is_valid():
            return HttpResponseRedirect(row_url(self._begun(request, form.cleaned_data["source"])))
        shown = {
            **self.admin_site.each_context(request),
            "title": _("New package"),
            "opts": self.opts,
            "form": form,
            "patterns": PATTERNS,
            "packages": Package.objects.filter(archived=False),
            "chosen": request.GET.get("from", PATTERNS[0].code),
        }
        return TemplateResponse(request, "admin/package_begin.html", shown)

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        package, form = context["original"], context["adminform"].form
        may_edit = self.has_change_permission(request, package)
        context.update(
            table=form.prices,
            price_rows=list(form.prices.rows(form)),
            prices_after=1 if package.kind == Kind.TOP_UP else 3,
            may_edit=may_edit,
            state=state(package),
            missing=drafts.missing(package) if package.draft else [],
            warnings=previews.warnings(package),
            desk_links=self._links(request, package),
        )
        return super().render_change_form(request, context, *args, **kwargs)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        actor = f"staff:{request.user.pk}"
        form.prices.save(form.cleaned_data, form.instance, at=clock.now(), actor=actor)

    def response_change(self, request: HttpRequest, obj: Package) -> HttpResponse:
        """Go on where the pressed button leads: to the preview, to publishing, or stay here."""
        if "_preview" in request.POST:
            return HttpResponseRedirect(reverse(PREVIEW, args=[obj.pk]))
        fresh = Package.objects.get(pk=obj.pk)
        lacks = drafts.missing(fresh)
        if "_publish" in request.POST and not lacks:
            url = reverse("admin:packages_package_deed", args=[obj.pk, Publish.code])
            return HttpResponseRedirect(url)
        if "_publish" in request.POST:
            messages.error(request, _("It is saved, but cannot be published yet."))
        elif obj.draft:
            messages.success(request, _("The draft is saved. Nobody sees it yet."))
        else:
            messages.success(request, _("The package is saved, and in the shop as it is here."))
        return HttpResponseRedirect(row_url(obj))

    def preview_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Show the package as customers see it or would: in each language and currency."""
        package = self.get_object(request, str(pk))
        if package is None:
            raise Http404
        if not self.has_view_permission(request, package):
            raise PermissionDenied
        shown = previews.of(package, current_brand(), request.GET)
        return render(request, "storefront/preview.html", {**shown, "back": row_url(package)})

    def view_on_site(self, obj: Package) -> str | None:
        """Lead to its page in the shop, where it has one."""
        return None if obj.draft or obj.archived else obj.get_absolute_url()

    def _begun(self, request: HttpRequest, source: str) -> Package:
        if source.isdecimal():
            package = drafts.copy(Package.objects.get(pk=source))
        else:
            package = drafts.begin(pattern(source), current_brand().currency_list)
        self.log_addition(request, package, [{"added": {"name": "draft", "object": source}}])
        return package

    def _links(self, request: HttpRequest, package: Package) -> list[tuple[str, str]]:
        links = [(_("Preview"), reverse(PREVIEW, args=[package.pk]))]
        if self.has_add_permission(request):
            add = reverse("admin:packages_package_add")
            links.append((_("Copy…"), f"{add}?from={package.pk}"))
        return links

    @admin.display(description=gettext_lazy("state"))
    def on_sale(self, row: Package) -> str:
        return state(row)

    @admin.display(description=gettext_lazy("prices"))
    def prices(self, row: Package) -> str:
        """Return the lowest price of each currency, and how many more there are."""
        firsts: dict[str, list[Price]] = {}
        for price in row.prices.all():
            if not price.archived:
                firsts.setdefault(price.currency, []).append(price)
        return lines([shortest(prices) for prices in firsts.values()])

    @admin.display(description=gettext_lazy("services"))
    def can(self, row: Package) -> str:
        names = ((Service(each).label,) for each in row.services)
        return format_html_join(", ", '<span class="desk-when">{}</span>', names) or EMPTY

    @admin.display(description=gettext_lazy("channels"), ordering="channels")
    def at_once(self, row: Package) -> str:
        """Return the channels of an account; a top-up adds credit to one, and no channels."""
        return EMPTY if row.kind == Kind.TOP_UP else str(row.channels)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Name the prices that go with a package by what they are."""
        _names, counts, lacking, protected = super().get_deleted_objects(objs, request)
        gone = [part for each in objs for part in (str(each), _priced(each)) if part]
        return gone, counts, lacking, protected


NAMES = {
    "fields": (
        ("name_en", "name_de"),
        ("promise_en", "promise_de"),
        ("group", "slug"),
    )
}
LIMITS = {
    "fields": (
        "tariff",
        ("new_tariff", "new_plan"),
        ("role", "trusts_role"),
        ("channels", "max_quantity"),
        "services",
    )
}
DESCRIPTION = {"classes": ("collapse",), "fields": (("description_en", "description_de"),)}


def _priced(package: Package) -> list[str]:
    return [in_words(each) for each in package.prices.all() if not each.archived]


def _included(package: Package) -> dict[str, Any]:
    fields: tuple[Any, ...] = (UNITS[:2], UNITS[2:])
    if package.kind == Kind.SUBSCRIPTION:
        fields = (*fields, "allowance", "trial_days")
    return {"fields": fields}
