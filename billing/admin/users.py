"""People who sign in. They are switched off, never deleted: history names them."""

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.forms import BaseUserCreationForm, UserChangeForm
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from billing.models import Membership, User
from packages.desk.door import demand_fresh_proof
from packages.desk.pages import TabularInline

if TYPE_CHECKING:
    CreationForm = BaseUserCreationForm[User]
    ChangeForm = UserChangeForm[User]
else:
    CreationForm = BaseUserCreationForm
    ChangeForm = UserChangeForm


class NewUserForm(CreationForm):
    class Meta:
        model = User
        fields = ("email", "name", "language")


class UserForm(ChangeForm):
    class Meta:
        model = User
        fields = "__all__"
        field_classes: dict[str, type[forms.Field]] = {}


class Memberships(TabularInline):
    model = Membership
    extra = 0
    autocomplete_fields = ("customer",)


@admin.register(User)
class UserPage(UserAdmin):  # type: ignore[type-arg]
    form = UserForm
    add_form = NewUserForm
    inlines = (Memberships,)
    ordering = ("email",)
    list_display = ("email", "name", "language", "is_staff", "role", "is_active", "date_joined")
    list_filter = ("is_staff", "role", "is_active", "language")
    search_fields = ("email", "name")
    readonly_fields = ("last_login", "date_joined")
    fieldsets = (
        (None, {"fields": ("email", "password", "name", "language")}),
        (_("Rights"), {"fields": ("is_active", "is_staff", "role", "is_superuser")}),
        (_("When"), {"fields": ("last_login", "date_joined")}),
    )
    add_fieldsets = ((None, {"fields": ("email", "name", "language", "password1", "password2")}),)
    filter_horizontal = ()

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        """Whoever gives rights shows again who they are."""
        demand_fresh_proof(request)
        return super().changeform_view(request, object_id, form_url, extra_context)

    def get_inlines(self, request: HttpRequest, obj: Any) -> tuple[Any, ...]:
        return self.inlines if obj else ()

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
