"""The operator: how the shop looks and speaks, who sells, and how prices are meant."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models import F, Q, QuerySet
from django.utils.translation import gettext_lazy as _

from packages.models import Translated
from packages.periods import RECURRING, Cycle
from packages.sweeping import rows_written_once

PREFIX = RegexValidator(r"^[A-Z]{1,8}$", _("Enter one to eight capital letters."))
HEX_COLOUR = RegexValidator(r"^#[0-9a-fA-F]{6}$", _("Enter a colour like #0b5fff."))


LEADS = {cycle: f"lead_{cycle.value}" for cycle in RECURRING}
# Three lines of the sheet's foot.
FOOTER_CHARACTERS = 300
# The shortest month less one day: a renewal is invoiced while the period before it runs.
LONGEST_MONTHLY, SHORTEST_NOTICE = 27, 31


def _lead_is_short() -> Q:
    short = Q(lead_monthly__lte=LONGEST_MONTHLY, price_notice_days__gte=SHORTEST_NOTICE)
    for field in LEADS.values():
        short &= Q(**{f"{field}__lt": F("price_notice_days")})
    return short


class Brand(Translated):
    """The one row of white-label settings. Customers see this name, never the product's own."""

    class Login(models.TextChoices):
        LINK = "link", _("a one-time link to the password")
        PASSWORD = "password", _("the password itself")

    class CancelNow(models.TextChoices):
        NO = "no", _("not by customers")
        FORFEIT = "forfeit", _("yes, paid time is not given back")
        CREDIT = "credit", _("yes, unused days are credited")

    name = models.CharField(_("name"), max_length=60)
    tagline_en = models.CharField(_("tagline (English)"), max_length=140, blank=True)
    tagline_de = models.CharField(_("tagline (German)"), max_length=140, blank=True)
    logo = models.CharField(
        _("logo"), max_length=200, blank=True, help_text=_("Path below static/, e.g. img/logo.svg")
    )
    accent = models.CharField(
        _("accent colour"), max_length=7, default="#0b5c6b", validators=[HEX_COLOUR]
    )
    support_email = models.EmailField(_("support e-mail"))
    mail_sender = models.EmailField(_("mail sender"))
    reply_address = models.EmailField(
        _("address for replies to support requests"),
        blank=True,
        help_text=_(
            "E.g. support@example.com: a reply goes to support+…@example.com, and your mail server "
            "must hand it in (operations.md, “Mail that comes in”). Empty: customers reply in the "
            "client area."
        ),
    )

    company = models.CharField(_("company"), max_length=120)
    street = models.CharField(_("street and number"), max_length=120)
    postcode = models.CharField(_("postcode"), max_length=12)
    city = models.CharField(_("city"), max_length=80)
    country = models.CharField(_("country"), max_length=2, default="DE")
    vat_id = models.CharField(_("VAT number"), max_length=20, blank=True)
    tax_number = models.CharField(_("tax number"), max_length=30, blank=True)
    bank_holder = models.CharField(_("account holder"), max_length=70, blank=True)
    iban = models.CharField(_("IBAN"), max_length=34, blank=True)
    bic = models.CharField(_("BIC"), max_length=11, blank=True)
    invoice_footer_en = models.CharField(
        _("invoice footer (English)"),
        max_length=FOOTER_CHARACTERS,
        blank=True,
        help_text=_("E.g. managing directors, court of registration; at the foot of each page."),
    )
    invoice_footer_de = models.CharField(
        _("invoice footer (German)"), max_length=FOOTER_CHARACTERS, blank=True
    )

    zone = models.CharField(_("billing time zone"), max_length=40, default="Europe/Berlin")
    currencies = models.CharField(_("currencies"), max_length=40, default="EUR")
    prices_include_tax = models.BooleanField(
        _("prices include tax"),
        default=True,
        help_text=_("Catalogue prices are gross at the seller's home rate."),
    )
    small_business = models.BooleanField(
        _("small business (§ 19 UStG)"),
        default=False,
        help_text=_("No VAT is charged or shown; each invoice says why."),
    )
    invoice_prefix = models.CharField(
        _("prefix of invoice numbers"), max_length=8, default="R", validators=[PREFIX]
    )
    credit_prefix = models.CharField(
        _("prefix of credit note numbers"), max_length=8, default="G", validators=[PREFIX]
    )
    numbers_by_year = models.BooleanField(
        _("numbers begin anew each year"),
        default=True,
        help_text=_("They then carry the year: R-2026-0001, otherwise R-0001."),
    )
    number_digits = models.PositiveSmallIntegerField(
        _("digits of a number, at least"),
        default=4,
        validators=[MinValueValidator(1), MaxValueValidator(9)],
    )
    due_days = models.PositiveSmallIntegerField(_("days to pay an invoice"), default=14)
    lead_monthly = models.PositiveSmallIntegerField(
        _("days ahead, monthly"),
        default=14,
        validators=[MaxValueValidator(LONGEST_MONTHLY)],
        help_text=_("27 at most: less than the shortest month."),
    )
    lead_quarterly = models.PositiveSmallIntegerField(_("days ahead, quarterly"), default=14)
    lead_half_yearly = models.PositiveSmallIntegerField(_("days ahead, half-yearly"), default=14)
    lead_yearly = models.PositiveSmallIntegerField(_("days ahead, yearly"), default=14)
    lead_two_yearly = models.PositiveSmallIntegerField(_("days ahead, two-yearly"), default=30)
    price_notice_days = models.PositiveSmallIntegerField(
        _("days of notice for new prices"),
        default=42,
        validators=[MinValueValidator(SHORTEST_NOTICE)],
        help_text=_("More than any renewal is invoiced ahead, and 31 at least."),
    )
    one_invoice = models.BooleanField(
        _("one invoice for renewals due on the same day"),
        default=True,
        help_text=_("Off: each service has invoices of its own."),
    )
    pro_forma = models.BooleanField(
        _("pro-forma invoices for businesses"),
        default=True,
        help_text=_(
            "At the checkout a business may download what its order would be invoiced, to have it "
            "approved before it orders."
        ),
    )
    german_consumers = models.BooleanField(
        _("German consumer law"),
        default=True,
        help_text=_(
            "Pages without sign-in to cancel (§ 312k BGB) and to withdraw (§ 356a BGB), linked "
            "from every page. Switch it off only if you sell to no consumers in Germany."
        ),
    )
    suspends_disputed = models.BooleanField(
        _("suspend what a disputed payment paid for"),
        default=False,
        help_text=_(
            "When a customer's bank takes a payment back, the services on its invoice are "
            "suspended at once, and run again when the dispute ends in your favour. Without it "
            "only dunning rests."
        ),
    )
    telecom_floor = models.BooleanField(
        _("limits of § 61 TKG for consumers"),
        default=False,
        help_text=_(
            "For a telecom service to the public in Germany: a consumer's service is suspended "
            "only while the undisputed arrears reach the amount below, and only so many days "
            "after it was announced. Businesses and customers elsewhere are not concerned. "
            "Whether the law applies to you is for your counsel to say."
        ),
    )
    telecom_floor_minor = models.PositiveIntegerField(
        _("least arrears, in minor units"),
        default=100_00,
        help_text=_("10000 is 100.00; what is contested or paid does not count."),
    )
    telecom_notice_days = models.PositiveSmallIntegerField(
        _("days from announcement to suspension"), default=14
    )
    cancel_now = models.CharField(
        _("services may be ended at once"),
        max_length=8,
        choices=CancelNow.choices,
        default=CancelNow.NO,
        help_text=_("At the end of the paid time customers may always cancel."),
    )
    login_by = models.CharField(
        _("new accounts are mailed"), max_length=10, choices=Login.choices, default=Login.LINK
    )
    terms_version = models.CharField(_("version of the terms"), max_length=20, default="1")

    class Meta:
        verbose_name = _("brand")
        verbose_name_plural = _("brand")
        constraints = [
            models.CheckConstraint(name="brand_is_one_row", condition=Q(id=1)),
            models.CheckConstraint(name="brand_ahead_is_short", condition=_lead_is_short()),
        ]

    def __str__(self) -> str:
        return self.name

    def lead_days(self, cycle: Cycle) -> int:
        """Return how many days before its period a renewal of that cycle is invoiced."""
        return int(getattr(self, LEADS[cycle]))

    def clean(self) -> None:
        """Say in words what the database would refuse, at the field that is wrong."""
        wrong = {
            field: ValidationError(_("This must be less than the days of notice for new prices."))
            for field in LEADS.values()
            if (getattr(self, field) or 0) >= (self.price_notice_days or SHORTEST_NOTICE)
        }
        if wrong:
            raise ValidationError(wrong)

    @property
    def tagline(self) -> str:
        return self.text("tagline")

    @property
    def currency_list(self) -> list[str]:
        return self.currencies.replace(",", " ").split()

    @property
    def seller(self) -> dict[str, str]:
        """Return what an invoice shows about the seller, and its colour; every value is text."""
        fields = ("name", "company", "street", "postcode", "city", "country", "vat_id")
        more = ("tax_number", "support_email", "bank_holder", "iban", "bic", "accent", "zone")
        foot = ("invoice_footer_en", "invoice_footer_de")
        return {field: str(getattr(self, field)) for field in (*fields, *more, *foot)}


class LegalText(Translated):
    """A page the law asks for, written by the operator."""

    class Page(models.TextChoices):
        IMPRINT = "imprint", _("Imprint")
        TERMS = "terms", _("Terms")
        PRIVACY = "privacy", _("Privacy")
        WITHDRAWAL = "withdrawal", _("Withdrawal")

    page = models.CharField(_("page"), max_length=12, choices=Page.choices, unique=True)
    body_en = models.TextField(_("text (English)"), blank=True)
    body_de = models.TextField(_("text (German)"), blank=True)

    class Meta:
        verbose_name = _("legal text")
        verbose_name_plural = _("legal texts")

    def __str__(self) -> str:
        return self.get_page_display()


def current_brand() -> Brand:
    """Return the operator's row; raise Brand.DoesNotExist before the shop was set up."""
    if (brand := brand_if_any()) is None:
        raise Brand.DoesNotExist
    return brand


def brand_if_any() -> Brand | None:
    """Return the operator's row, None before the shop was set up."""
    return next(iter(_brand()), None)


@rows_written_once
def _brand() -> QuerySet[Brand]:
    return Brand.objects.filter(id=1)
