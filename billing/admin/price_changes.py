"""Price changes: drafted, previewed with whom they concern, confirmed, withdrawn."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing import price_changes
from billing.models import PriceChange, PriceNotice, current_brand
from billing.models.price_campaign import Noticed
from billing.price_changes import Concerned
from packages import clock
from packages.desk import Impossible
from packages.desk.cells import EMPTY, amount, amount_of, lines, link, state
from packages.desk.deeds import Deed, Text, in_unit
from packages.desk.pages import Page, ReadOnlyInline
from packages.desk.sums import SumsForm, money
from packages.money import total
from packages.periods import business_day
from packages.states import record_change

SHOWN = 20


class Confirm(Deed):
    """Let the change come, having seen whom it concerns."""

    code = "confirm"
    label = gettext_lazy("Confirm…")
    guarded = True

    def offered(self, row: PriceChange) -> bool:
        return row.state == PriceChange.State.DRAFT

    def effects(self, row: PriceChange) -> Sequence[Text]:
        day = {"date": date_format(row.effective_on)}
        if not row.existing:
            return [_("New orders pay the new price from %(date)s on; nobody else does.") % day]
        first = _("New orders pay the new price from %(date)s on.") % day
        if not self.concerns(row):
            return [first, _("No subscription has this price now, so nobody is mailed.")]
        words = {"days": row.days(current_brand().price_notice_days)}
        return [
            first,
            _("Each customer below is mailed at least %(days)s days before it applies.") % words,
            _("Whom the mail does not reach keeps the old price until it does."),
            _("Invoices that are issued stay as they are."),
        ]

    def concerns(self, row: PriceChange) -> bool:
        """Say whether any subscription is concerned today."""
        return bool(_concerned(row))

    def facts(self, row: PriceChange) -> Sequence[tuple[Text, Any]]:
        found, currency = _concerned(row), row.price.currency
        return [
            (_("Price"), row.price),
            (_("Price now"), amount(row.price.amount)),
            (_("New price"), amount_of(row.amount_minor, currency)),
            (_("Applies from"), date_format(row.effective_on)),
            (_("Subscriptions concerned"), len(found)),
            (_("They pay now, each period"), amount(total((x.before for x in found), currency))),
            (_("They will pay"), amount(total((x.after for x in found), currency))),
            *services_in(found),
        ]

    def carry_out(
        self, row: PriceChange, given: dict[str, Any], *, at: datetime, actor: str
    ) -> Text:
        on = business_day(at, current_brand().zone)
        try:
            price_changes.confirm(row, on=on, at=at, actor=actor)
        except price_changes.NotPossible as error:
            raise Impossible(_("Its day has passed, or it is no draft any more.")) from error
        return _("The price change is confirmed.")


def _concerned(row: PriceChange) -> list[Concerned]:
    brand = current_brand()
    return price_changes.concerned(row, brand, on=business_day(clock.now(), brand.zone))


def services_in(found: Sequence[Concerned]) -> list[tuple[Text, Any]]:
    """Tell the first services that are concerned, and how many there are beyond them."""
    told = [_of_service(each) for each in found[:SHOWN]]
    more = len(found) - SHOWN
    if more > 0:
        told.append(_("and %(count)s more") % {"count": more})
    return [(_("Whom it concerns"), lines(told))] if told else []


def _of_service(one: Concerned) -> str:
    words = {
        "before": amount(one.before),
        "after": amount(one.after),
        "date": date_format(one.starts_on),
    }
    told = _("%(before)s → %(after)s from %(date)s") % words
    return format_html("{}: {}", link(one.subscription), told)


class Withdraw(Deed):
    """Take it back before its day."""

    code = "withdraw"
    label = gettext_lazy("Withdraw…")
    danger = True

    def offered(self, row: PriceChange) -> bool:
        return row.state != PriceChange.State.WITHDRAWN and row.applied_at is None

    def effects(self, row: PriceChange) -> Sequence[Text]:
        first = _("Nobody's price changes.")
        if not self.told(row):
            return [first]
        return [first, _("Who was told already is not mailed again: write to them.")]

    def told(self, row: Any) -> int:
        """Return how many mails announce it."""
        return int(row.notices.count())

    def facts(self, row: PriceChange) -> Sequence[tuple[Text, Any]]:
        return [
            (_("Price"), row.price),
            (_("Price now"), amount(row.price.amount)),
            (_("New price"), amount_of(row.amount_minor, row.price.currency)),
            (_("Applies from"), date_format(row.effective_on)),
            (_("Told already"), self.told(row)),
        ]

    def carry_out(
        self, row: PriceChange, given: dict[str, Any], *, at: datetime, actor: str
    ) -> Text:
        try:
            price_changes.withdraw(row, at=at, actor=actor)
        except price_changes.NotPossible as error:
            raise Impossible(_("The catalogue has the new price already.")) from error
        return _("The price change is withdrawn.")


class Notices(ReadOnlyInline):
    model = PriceNotice
    verbose_name_plural = gettext_lazy("price notices")
    fields = ("service", "mail_link", "delivery", "starts_on", "applies_from")
    readonly_fields = fields
    show_change_link = False

    @admin.display(description=gettext_lazy("subscription"))
    def service(self, row: PriceNotice) -> str:
        return link(row.subscription)

    @admin.display(description=gettext_lazy("mail"))
    def mail_link(self, row: PriceNotice) -> str:
        return link(row.mail)

    @admin.display(description=gettext_lazy("state"))
    def delivery(self, row: PriceNotice) -> str:
        return state(row.mail)


class DraftPage(Page):
    """What is drafted here, confirmed and withdrawn by deeds, and never deleted."""

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Noticed, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        if not change:
            actor = f"staff:{request.user.pk}"
            record_change(obj, before="", at=clock.now(), actor=actor, reason="drafted")

    @admin.display(description=gettext_lazy("state"), ordering="state")
    def status(self, row: Noticed) -> str:
        return state(row)


AMOUNTS = ("amount_minor", "credit_minor")


class PriceChangeForm(SumsForm):
    amount_minor = money(gettext_lazy("New price"))
    credit_minor = money(gettext_lazy("New included credit"), initial=0)
    sums = AMOUNTS

    class Meta:
        model = PriceChange
        fields = "__all__"

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        if unit := self.currency_of(self.instance):
            in_unit(self, unit, *(name for name in AMOUNTS if name in self.fields))

    @staticmethod
    def currency_of(row: PriceChange) -> str:
        return row.price.currency if row.price_id else ""

    def currency_given(self, given: dict[str, Any]) -> str:
        chosen = given.get("price")
        return chosen.currency if chosen else self.currency_of(self.instance)


@admin.register(PriceChange)
class PriceChangePage(DraftPage):
    form = PriceChangeForm
    deeds = (Confirm(), Withdraw())
    inlines = (Notices,)
    list_display = ("price", "status", "becomes", "effective_on", "existing", "told")
    list_filter = ("state", "existing", ("campaign", admin.RelatedOnlyFieldListFilter))
    list_select_related = ("price__package",)
    fields = (
        "price",
        AMOUNTS,
        ("effective_on", "notice_days"),
        "existing",
        "reads",
        "campaign",
    )

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Of what is not edited any more the words alone tell the amounts."""
        if obj is None:
            return [each for each in self.fields if each not in ("reads", "campaign")]
        draft = obj.state == PriceChange.State.DRAFT
        return [each for each in self.fields if draft or each != AMOUNTS]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """What customers were told is not edited any more."""
        if obj is None or obj.state == PriceChange.State.DRAFT:
            return ("reads", "campaign")
        fixed = ("price", "amount_minor", "credit_minor", "effective_on", "notice_days", "existing")
        return (*fixed, "reads", "campaign")

    @admin.display(description=gettext_lazy("new price"))
    def becomes(self, row: PriceChange) -> str:
        return amount_of(row.amount_minor, row.price.currency)

    @admin.display(description=gettext_lazy("told"))
    def told(self, row: PriceChange) -> int:
        return row.notices.count()

    @admin.display(description=gettext_lazy("in words"))
    def reads(self, row: PriceChange) -> str:
        if row._state.adding:
            return EMPTY
        words = {
            "before": amount(row.price.amount),
            "after": amount_of(row.amount_minor, row.price.currency),
            "credit": amount_of(row.credit_minor, row.price.currency),
            "date": date_format(row.effective_on),
        }
        return _("%(before)s → %(after)s with %(credit)s credit from %(date)s") % words
