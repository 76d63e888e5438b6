"""When an unpaid renewal is charged again, spoken about, suspended and ended, as rows for staff."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

from django.contrib.postgres.fields import ArrayField
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from packages.models import Package

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise as StrPromise

# The steps after the due date, in the only order there is.
AFTER_DUE = ("overdue_first", "overdue_second", "suspended", "revocation_warning", "ended")


def _charge_retries() -> list[int]:
    return [3, 5, 7]


def _days_after(
    label: StrPromise, default: int
) -> models.PositiveSmallIntegerField[int, int | None]:
    return models.PositiveSmallIntegerField(
        label,
        default=default,
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text=_("Days after the due date; empty: never."),
    )


def _runs_forward() -> Q:
    """Say the order of the steps; a comparison with an empty one is no violation to SQL."""
    order = Q()
    for earlier, later in combinations(AFTER_DUE, 2):
        order &= Q(**{f"{earlier}__lt": F(later)})
    announced = Q(suspended__isnull=True) | Q(overdue_second__isnull=False)
    warned = Q(ended__isnull=True) | Q(suspended__isnull=False, revocation_warning__isnull=False)
    return order & announced & warned


class Timetable(models.Model):
    """The one place that knows when what happens while a renewal is not paid.

    Every step may be off (empty). The columns' defaults are the default timetable; it also holds
    where no row is marked as the default.
    """

    name = models.CharField(_("name"), max_length=60)
    is_default = models.BooleanField(
        _("default"),
        default=False,
        help_text=_("Holds for every package and customer without a timetable of their own."),
    )
    reminder = models.PositiveSmallIntegerField(
        _("reminder"),
        default=3,
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text=_("Days before the due date; empty: never."),
    )
    charge_retries = ArrayField(
        models.PositiveSmallIntegerField(validators=[MinValueValidator(1)]),
        verbose_name=_("charge again"),
        default=_charge_retries,
        blank=True,
        help_text=_(
            "Days after the due date on which a saved payment method is charged again, e.g. "
            "3,5,7; empty: never."
        ),
    )
    overdue_first = _days_after(_("first notice"), 1)
    overdue_second = _days_after(_("second notice, announces the suspension"), 7)
    suspended = _days_after(_("suspension"), 10)
    revocation_warning = _days_after(_("warning before the end"), 24)
    ended = _days_after(_("end of the service"), 30)
    notice_days = models.PositiveSmallIntegerField(
        _("days of notice"),
        default=3,
        validators=[MinValueValidator(1)],
        help_text=_("So many days at least lie between a warning and what it announces."),
    )

    class Meta:
        ordering = ["-is_default", "name"]
        verbose_name = _("dunning timetable")
        verbose_name_plural = _("dunning timetables")
        constraints = [
            models.UniqueConstraint(
                fields=["is_default"], condition=Q(is_default=True), name="timetable_one_default"
            ),
            models.CheckConstraint(name="timetable_runs_forward", condition=_runs_forward()),
        ]

    def __str__(self) -> str:
        return self.name


class PackageTimetable(models.Model):
    """A package whose renewals follow a timetable of their own."""

    timetable = models.ForeignKey(Timetable, models.CASCADE, related_name="packages")
    package = models.OneToOneField(
        Package, models.CASCADE, related_name="+", verbose_name=_("package")
    )

    class Meta:
        verbose_name = _("package with this timetable")
        verbose_name_plural = _("packages with this timetable")

    def __str__(self) -> str:
        return f"{self.package}: {self.timetable}"
