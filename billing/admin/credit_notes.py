"""The deed "Credit note…" of an issued invoice: which lines, how much, why, and the sums."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing import credit_notes, refunds, rests
from billing.models import Invoice, Payment, Refund, paying
from packages.desk import Impossible
from packages.desk.cells import amount, link
from packages.desk.deeds import Deed, DeedForm, ReasonForm, Text, in_unit
from packages.money import Money, total

Way = Refund.Way


class CreditForm(ReasonForm):
    """One field per line with what is left of it. Other sums than those shown are shown first."""

    seen = forms.CharField(widget=forms.HiddenInput)
    way = forms.ChoiceField(
        label=gettext_lazy("What had been paid"),
        choices=[
            ("", gettext_lazy("stays on the customer's balance")),
            (Way.GATEWAY, gettext_lazy("goes back the way it was paid")),
            (Way.TRANSFER, gettext_lazy("goes back by bank transfer, sent by hand")),
        ],
        required=False,
    )

    def __init__(self, data: Any, invoice: Invoice) -> None:
        """Read what is left; without data, everything that is left is proposed."""
        self.invoice = invoice
        self.left = rests.left_of(invoice)
        # A page that shows sums again must remember those, so what was sent is made changeable.
        self.sent: dict[str, Any] | None = data.copy() if data is not None else None
        super().__init__(self.sent, initial={"seen": _seen(_drafted(invoice, None))})
        for line, rest in self.left.items():
            if rest:
                name = f"line_{line.pk}"
                self.fields[name] = _field(line.description, rest)
                in_unit(self, invoice.currency, name)

    @property
    def amounts(self) -> dict[int, Money]:
        given = {line: self.cleaned_data.get(f"line_{line.pk}") for line in self.left}
        currency = self.invoice.currency
        return {
            line.pk: Money.of_decimal(value, currency) for line, value in given.items() if value
        }

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if self.errors:
            return cleaned
        try:
            made = _drafted(self.invoice, self.amounts)
        except (ValueError, Impossible) as error:
            raise forms.ValidationError(str(error)) from error
        if cleaned["seen"] != _seen(made, cleaned["way"]):
            if self.sent is not None:
                self.sent["seen"] = _seen(made, cleaned["way"])
            raise forms.ValidationError(self._said(made))
        return cleaned

    def _said(self, made: credit_notes.Draft) -> str:
        back = _goes_back(self.invoice, made)
        if not (self.cleaned_data.get("way") and back):
            return _sums(made)
        return (
            _("%(amount)s go back to the customer.") % {"amount": amount(back)} + " " + _sums(made)
        )


class CreditNote(Deed):
    code = "credit"
    label = gettext_lazy("Credit or refund…")
    guarded = True
    danger = True
    form = CreditForm

    def offered(self, row: Invoice) -> bool:
        """An invoice over nothing, credited in full, or set off later has nothing to give back."""
        try:
            credit_notes.draft(row)
        except credit_notes.NotCreditable:
            return False
        return True

    def effects(self, row: Invoice) -> Sequence[Text]:
        return [
            _("A credit note with a number of its own is issued; it is final."),
            _("What is still due on the invoice shrinks; what was paid goes onto the balance."),
            _("From there it goes back to the customer only if “What had been paid” says so."),
            _("If nothing is left of an unpaid invoice, it and its order are cancelled."),
            _("A period of which nothing is left to pay is free, without its included credit."),
            _("The customer gets it by mail. No service is taken away by it."),
        ]

    def facts(self, row: Invoice) -> Sequence[tuple[Text, Any]]:
        made = _drafted(row, None)
        mode = _("including VAT") if row.prices_include_tax else _("without VAT")
        return [
            (_("Customer"), link(row.customer)),
            (_("Total of the invoice"), amount(row.total)),
            (_("Already paid"), amount(row.paid)),
            (_("Still to be paid"), amount(row.due)),
            (_("Everything that is left: net"), amount(made.net)),
            (_("Everything that is left: VAT"), amount(made.tax)),
            (_("Everything that is left: total"), amount(made.total)),
            (_("Amounts are"), mode),
            *((_("Unused days set off on"), link(each)) for each in rests.set_off_by(row)),
        ]

    def form_for(self, row: Invoice, data: Any) -> DeedForm:
        return CreditForm(data, row)

    def weighs(self, row: Invoice, given: dict[str, Any]) -> Money | None:
        return _drafted(row, _amounts(row, given)).total

    def carry_out(self, row: Invoice, given: dict[str, Any], *, at: datetime, actor: str) -> Text:
        amounts = _amounts(row, given)
        nth = int(given["seen"].partition(":")[0])
        said: dict[str, Any] = {"reason": given["reason"], "at": at, "actor": actor, "seen": nth}
        try:
            if given["way"]:
                note, _done = refunds.credit(row, amounts, way=Way(given["way"]), **said)
            else:
                note = credit_notes.issue(row, amounts, **said)
        except credit_notes.NotCreditable as error:
            raise Impossible(_("No more than what is left can be credited.")) from error
        except credit_notes.Changed as error:
            raise Impossible(_("The invoice was credited in the meantime.")) from error
        words = {"number": note.number, "amount": amount(note.total)}
        return _("Credit note %(number)s of %(amount)s is issued.") % words


def _amounts(row: Invoice, given: dict[str, Any]) -> dict[int, Money]:
    return {
        int(name.removeprefix("line_")): Money.of_decimal(value, row.currency)
        for name, value in given.items()
        if name.startswith("line_") and value
    }


def _field(label: str, rest: Money) -> forms.DecimalField:
    return forms.DecimalField(
        label=label,
        required=False,
        localize=True,
        max_digits=14,
        initial=rest.decimal(),
        widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
        help_text=_("At most %(amount)s; empty credits nothing of it.") % {"amount": amount(rest)},
    )


def _goes_back(invoice: Invoice, made: credit_notes.Draft) -> Money:
    """Return what of the credit note had been paid, and can be refunded of the payments."""
    zero = Money.zero(invoice.currency)
    rests = [
        Money(each.amount_minor - each.refunded_minor, invoice.currency)
        for each in Payment.objects.filter(
            paying(invoice), state=Payment.State.SUCCEEDED
        ).distinct()
    ]
    return min(max(made.total - invoice.due, zero), total(rests, invoice.currency))


def _drafted(invoice: Invoice, amounts: dict[int, Money] | None) -> credit_notes.Draft:
    try:
        return credit_notes.draft(invoice, amounts)
    except credit_notes.NotCreditable as error:
        raise Impossible(_("No more than what is left can be credited.")) from error


def _seen(made: credit_notes.Draft, way: str = "") -> str:
    """Name what the page shows: which credit note it would be, of what, and where it goes."""
    parts = ",".join(f"{part.line.pk}={part.amount.minor}" for part in made.parts)
    return f"{made.nth}:{made.total.minor}:{parts}:{way}"


def _sums(made: credit_notes.Draft) -> str:
    words = {"net": amount(made.net), "tax": amount(made.tax), "total": amount(made.total)}
    return (
        _("These are %(net)s net and %(tax)s VAT, %(total)s in all. Press again to issue it.")
        % words
    )
