"""People who sign in. They are switched off, never deleted: history names them."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.forms import AdminPasswordChangeForm, BaseUserCreationForm, UserChangeForm
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing import second_factors
from billing.models import Membership, User
from packages.desk.cells import language
from packages.desk.deeds import PROOF_LENGTH, Deed, ReasonForm, Text
from packages.desk.door import demand_fresh_proof
from packages.desk.filters import CodeFilter
from packages.desk.pages import Page, TabularInline

if TYPE_CHECKING:
    CreationForm = BaseUserCreationForm[User]
    SetPasswordForm = AdminPasswordChangeForm[User]
    ChangeForm = UserChangeForm[User]
else:
    CreationForm = BaseUserCreationForm
    SetPasswordForm = AdminPasswordChangeForm
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

    # What is kept of it is nobody's to read; another one is set on a page of its own.
    password: Any = None


class PasswordForm(SetPasswordForm):
    """Django's own, whose hint is put together when it is loaded and so knows one language."""

    usable_password_help_text: Any = gettext_lazy(
        "Switched off, the present password is lost, and this person cannot sign in until another "
        "one is set."
    )


class OfMember(TabularInline):
    """Who acts for whom. An owner's rights are not ticked one by one, so the role says it."""

    model = Membership
    extra = 0

    def formfield_for_choice_field(self, db_field: Any, request: Any, **kwargs: Any) -> Any:
        if db_field.name == "role":
            owner = Membership.Role.OWNER
            more = {owner.value: _("owner, may do everything")}
            kwargs["choices"] = [(code, more.get(code, word)) for code, word in db_field.choices]
        return super().formfield_for_choice_field(db_field, request, **kwargs)


class Memberships(OfMember):
    autocomplete_fields = ("customer",)


class SureForm(ReasonForm):
    """Why, and how it was made sure who asks."""

    reason = forms.CharField(
        label=gettext_lazy("Who asked, and how did you make sure of it?"),
        max_length=PROOF_LENGTH,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=gettext_lazy("Call them back first. Kept in the history with your name."),
    )


class TakeSecondFactorAway(Deed):
    code = "second-factor"
    label = gettext_lazy("Take the second factor away…")
    danger = True
    guarded = True
    form = SureForm

    def offered(self, row: User) -> bool:
        return second_factors.kept(row)

    def effects(self, row: User) -> Sequence[Text]:
        told = [
            _("App, keys and recovery codes of %(email)s stop working; the password stays.")
            % {"email": row.email},
            _("They are told by mail."),
        ]
        if row.is_staff:
            told.append(_("They must set up a new factor before they get into the desk again."))
        return told

    def carry_out(self, row: User, given: dict[str, Any], *, at: datetime, actor: str) -> Text:
        second_factors.take_away(row, reason=given["reason"], at=at, actor=actor)
        return _("Taken away.")


@admin.register(User)
class UserPage(Page, UserAdmin):  # type: ignore[type-arg]
    # Whoever gives rights shows again who they are.
    guarded = True
    deeds = (TakeSecondFactorAway(),)
    form = UserForm
    add_form = NewUserForm
    change_password_form = PasswordForm
    inlines = (Memberships,)
    ordering = ("email",)
    list_display = ("email", "name", "tongue", "is_staff", "role", "is_active", "date_joined")
    list_filter = ("is_staff", "role", "is_active", ("language", CodeFilter))
    search_fields = ("email", "name")
    readonly_fields = ("kept_password", "last_login", "date_joined")
    fieldsets = (
        (None, {"fields": ("email", "kept_password", "name", "language")}),
        (gettext_lazy("Rights"), {"fields": ("is_active", "is_staff", "role", "is_superuser")}),
        (gettext_lazy("When"), {"fields": ("last_login", "date_joined")}),
    )
    add_fieldsets = ((None, {"fields": ("email", "name", "language", "password1", "password2")}),)
    filter_horizontal = ()

    @admin.display(description=gettext_lazy("language"), ordering="language")
    def tongue(self, row: User) -> str:
        return language(row.language)

    @admin.display(description=gettext_lazy("password"))
    def kept_password(self, row: User) -> str:
        text = _("Set another one…") if row.has_usable_password() else _("None yet. Set one…")
        address = reverse("admin:auth_user_password_change", args=[row.pk])
        return format_html('<a href="{}">{}</a>', address, text)

    def get_inlines(self, request: HttpRequest, obj: Any) -> tuple[Any, ...]:
        return self.inlines if obj else ()

    def user_change_password(
        self, request: HttpRequest, id: str, form_url: str = ""
    ) -> HttpResponse:
        """Set another's password: whoever does shows again who they are."""
        if self.may_act(request):
            demand_fresh_proof(request)
        return super().user_change_password(request, id, form_url)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
