"""The desk's door: who gets in, and when staff must show again who they are."""

from collections.abc import Iterable
from functools import wraps
from typing import Any

from allauth.account.authentication import get_authentication_records
from allauth.account.decorators import reauthentication_required
from allauth.mfa.utils import is_mfa_enabled
from django.conf import settings
from django.contrib import admin, messages
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import resolve_url
from django.template.response import SimpleTemplateResponse
from django.urls import path, reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from packages import unbroken
from packages.desk import menu
from packages.desk.cells import EMPTY
from packages.desk.sheets import SHEETS

# The stock admin's own log has a page of ours.
OURS = ("packages", "provisioning", "billing", "admin")


class DeskSite(admin.AdminSite):
    """The stock admin, with the shop's own sign-in and a second factor before everything."""

    empty_value_display = EMPTY
    index_title = gettext_lazy("Overview")

    def register(self, model_or_iterable: Any, *given: Any, **options: Any) -> None:
        """Leave out the pages that libraries bring along: no role says who may touch their rows."""
        models = (
            model_or_iterable if isinstance(model_or_iterable, Iterable) else [model_or_iterable]
        )
        ours = [each for each in models if each._meta.app_label in OURS]
        super().register(ours, *given, **options)

    def has_permission(self, request: HttpRequest) -> bool:
        return super().has_permission(request) and _showed_second_factor(request)

    def get_urls(self) -> list[Any]:
        sheets = [
            path(f"{each.code}/", self.admin_view(each.view), name=each.name) for each in SHEETS
        ]
        return [*sheets, *super().get_urls()]

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[Any]:
        """Return the lists and sheets that the reader may see, by what they are for; of one app
        its own lists.
        """
        if app_label:
            return list(super().get_app_list(request, app_label))
        # Not by name: the menu has an order of its own, and every page would pay for two.
        apps = self._build_app_dict(request).values()
        sheets = [
            {"name": each.label, "object_name": each.name, "admin_url": each.url, "view_only": True}
            for each in SHEETS
            if each.listed and request.user.has_perm(each.right)
        ]
        return menu.sorted_in(apps, sheets)

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """Show the desk's first page, or the sheet that comes before everything."""
        first = next((each for each in SHEETS if each.takes_over(request)), None)
        if first is not None:
            return HttpResponse(status=302, headers={"Location": first.url})
        return super().index(request, extra_context)

    def app_index(
        self, request: HttpRequest, app_label: str, extra_context: dict[str, Any] | None = None
    ) -> Any:
        """Lead to the menu, which has all lists by what they are for."""
        return HttpResponseRedirect(reverse("admin:index"))

    def admin_view(self, view: Any, cacheable: bool = False) -> Any:
        """Mark what is not to be parted on every page that the desk answers with."""

        @wraps(view)
        def marked(request: HttpRequest, *given: Any, **named: Any) -> Any:
            response = view(request, *given, **named)
            if isinstance(response, SimpleTemplateResponse):
                response.add_post_render_callback(unbroken.answered)
            return response

        return super().admin_view(marked, cacheable)

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """Send whoever is not let in to the step they lack; the stock form knows no second factor.

        Raises PermissionDenied for people who are no staff.
        """
        wish = _next(request)
        if not request.user.is_authenticated:
            return redirect_to_login(wish, resolve_url(settings.LOGIN_URL))
        if not super().has_permission(request):
            raise PermissionDenied
        if _showed_second_factor(request):
            return HttpResponse(status=302, headers={"Location": wish})
        if is_mfa_enabled(request.user):
            return redirect_to_login(wish, reverse("mfa_reauthenticate"))
        messages.warning(request, _("Staff need a second factor. Please set one up to go on."))
        return redirect_to_login(wish, reverse("mfa_index"))


def _guarded(request: HttpRequest) -> bool:
    return bool(settings.STAFF_GUARDED)


@reauthentication_required(enabled=_guarded)  # type: ignore[untyped-decorator]
def demand_fresh_proof(request: HttpRequest) -> None:
    """Return if the reader showed who they are within the last minutes.

    Otherwise raises allauth's ReauthenticationRequired, which its middleware answers by asking for
    it; a form that was sent is carried on with afterwards.
    """


def _showed_second_factor(request: HttpRequest) -> bool:
    if not settings.STAFF_GUARDED:
        return True
    records = get_authentication_records(request, request.user)
    return any(record["method"] == "mfa" for record in records)


def _next(request: HttpRequest) -> str:
    wish = request.GET.get(REDIRECT_FIELD_NAME, "")
    allowed = url_has_allowed_host_and_scheme(
        wish, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return wish if allowed else reverse("admin:index")
