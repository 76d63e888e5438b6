"""Who signs in (User), who is billed (Customer), and which user may act for which customer."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from billing.models.timetable import Timetable


class UserManager(BaseUserManager["User"]):
    """Makes users whose e-mail address is their name."""

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> User:
        user = self.model(email=self.normalize_email(email), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> User:
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)

    def get_by_natural_key(self, username: str | None) -> User:
        return self.get(email__iexact=username)


class User(AbstractBaseUser, PermissionsMixin):
    """A person who signs in with an e-mail address: a customer's colleague or the operator's
    staff.
    """

    class Role(models.TextChoices):
        OWNER = "owner", _("owner")
        BILLING = "billing", _("billing")
        SUPPORT = "support", _("support")
        READER = "reader", _("read only")

    email = models.EmailField(_("e-mail address"), unique=True)
    name = models.CharField(_("name"), max_length=120, blank=True)
    language = models.CharField(_("language"), max_length=5, default="en")
    is_staff = models.BooleanField(_("staff"), default=False)
    role = models.CharField(
        _("role"),
        max_length=10,
        choices=Role.choices,
        blank=True,
        help_text=_(
            "Of staff. Owner: everything. Billing: money, prices, dunning and the dialler's jobs. "
            "Support: customers, services, mails. Read only: looks, and changes nothing."
        ),
    )
    is_active = models.BooleanField(_("active"), default=True)
    date_joined = models.DateTimeField(_("joined"), default=timezone.now)

    objects = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        verbose_name = _("user")
        verbose_name_plural = _("users")
        constraints = [models.UniqueConstraint(Lower("email"), name="user_email_once")]

    def __str__(self) -> str:
        return self.email

    def get_full_name(self) -> str:
        return self.name or self.email


class Customer(models.Model):
    """The party that is billed. Its address is copied onto every invoice when that is issued."""

    name = models.CharField(_("name"), max_length=120)
    company = models.CharField(_("company"), max_length=120, blank=True)
    is_business = models.BooleanField(_("business customer"), default=False)
    vat_id = models.CharField(_("VAT number"), max_length=20, blank=True)
    email = models.EmailField(_("e-mail for invoices"))
    phone = models.CharField(_("phone"), max_length=30, blank=True)
    street = models.CharField(_("street and number"), max_length=120, blank=True)
    extra = models.CharField(_("address line 2"), max_length=120, blank=True)
    postcode = models.CharField(_("postcode"), max_length=12, blank=True)
    city = models.CharField(_("city"), max_length=80, blank=True)
    country = models.CharField(_("country"), max_length=2, default="DE")
    language = models.CharField(_("language"), max_length=5, default="en")
    pays_automatically = models.BooleanField(
        _("automatic payment"),
        default=False,
        help_text=_("What renews is charged to the saved method on its due date."),
    )
    timetable = models.ForeignKey(
        Timetable,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="customers",
        verbose_name=_("dunning timetable"),
        help_text=_("Empty: that of the package, or the default."),
    )
    users = models.ManyToManyField(User, through="Membership", related_name="customers")
    created_at = models.DateTimeField(_("since"))

    class Meta:
        ordering = ["-id"]
        verbose_name = _("customer")
        verbose_name_plural = _("customers")

    def __str__(self) -> str:
        return self.company or self.name

    @property
    def address(self) -> dict[str, str]:
        """Return what an invoice shows about the buyer; every value is text."""
        fields = ("name", "company", "street", "extra", "postcode", "city", "country", "vat_id")
        return {field: str(getattr(self, field)) for field in fields}


class Membership(models.Model):
    """A user may act for a customer: an owner does everything, a colleague what they may."""

    class Role(models.TextChoices):
        OWNER = "owner", _("owner")
        COLLEAGUE = "colleague", _("colleague")

    class Right(models.TextChoices):
        SEE = "see", _("look at everything")
        PAY = "pay", _("order, pay, change services")
        ASK = "ask", _("write to support")
        MANAGE = "manage", _("manage company data and colleagues")

    user = models.ForeignKey(
        User, models.CASCADE, related_name="memberships", verbose_name=_("user")
    )
    customer = models.ForeignKey(
        Customer, models.CASCADE, related_name="memberships", verbose_name=_("customer")
    )
    role = models.CharField(_("role"), max_length=10, choices=Role.choices, default=Role.OWNER)
    may_pay = models.BooleanField(Right.PAY.label, default=False)
    may_ask = models.BooleanField(Right.ASK.label, default=False)
    may_manage = models.BooleanField(Right.MANAGE.label, default=False)

    # The same as `rights` says, for queries.
    MAY_PAY = models.Q(role=Role.OWNER) | models.Q(may_pay=True)
    MAY_ASK = models.Q(role=Role.OWNER) | models.Q(may_ask=True)

    class Meta:
        verbose_name = _("membership")
        verbose_name_plural = _("memberships")
        constraints = [models.UniqueConstraint(fields=["user", "customer"], name="membership_once")]

    def __str__(self) -> str:
        return f"{self.user} · {self.customer}"

    @property
    def rights(self) -> frozenset[Membership.Right]:
        """Return what this user may do for this customer; looking is everybody's."""
        if self.role == self.Role.OWNER:
            return frozenset(self.Right)
        given = {
            self.Right.PAY: self.may_pay,
            self.Right.ASK: self.may_ask,
            self.Right.MANAGE: self.may_manage,
        }
        return frozenset({self.Right.SEE, *(right for right, may in given.items() if may)})

    @property
    def words(self) -> list[str]:
        """Return the rights in the reader's language, in their order."""
        return [str(right.label) for right in self.Right if right in self.rights]
