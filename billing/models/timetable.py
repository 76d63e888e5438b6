"""When an unpaid renewal is charged again, spoken about, suspended and ended, as rows for staff."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from packages.models import Package

# The steps after the due date, in the only order there is.
STEPS = {
    "overdue_first": _("first notice"),
    "overdue_second": _("second notice, announces the suspension"),
    "suspended": _("suspension"),
    "revocation_warning": _("warning before the end"),
    "ended": _("end of the service"),
}
AFTER_DUE = tuple(STEPS)


def _charge_retries() -> list[int]:
    return [3, 5, 7]


def _days_after(name: str, default: int) -> models.PositiveSmallIntegerField[int, int | None]:
    return models.PositiveSmallIntegerField(
        STEPS[name],
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
    overdue_first = _days_after("overdue_first", 1)
    overdue_second = _days_after("overdue_second", 7)
    suspended = _days_after("suspended", 10)
    revocation_warning = _days_after("revocation_warning", 24)
    ended = _days_after("ended", 30)
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

    @property
    def charge_days(self) -> tuple[int, ...]:
        """Return the days of automatic charges, counted from the due date, which is the first."""
        return (0, *sorted(set(self.charge_retries)))

    def clean(self) -> None:
        """Say in words what the database would refuse, at the field that is wrong."""
        wrong: dict[str, list[ValidationError]] = {}
        for earlier, later in combinations(AFTER_DUE, 2):
            before, then = getattr(self, earlier), getattr(self, later)
            if before is not None and then is not None and then <= before:
                words = {"earlier": STEPS[earlier]}
                text = _("This must come after: %(earlier)s.")
                wrong.setdefault(later, []).append(ValidationError(text, params=words))
        if self.suspended is not None and self.overdue_second is None:
            text = _("Who is to be suspended must be told the day before: set the second notice.")
            wrong.setdefault("suspended", []).append(ValidationError(text))
        if self.ended is not None and self.suspended is None:
            text = _("A service ends only after it was suspended: set the suspension.")
            wrong.setdefault("ended", []).append(ValidationError(text))
        if (self.ended is None) != (self.revocation_warning is None):
            text = _("The warning before the end and the end belong together.")
            wrong.setdefault("revocation_warning", []).append(ValidationError(text))
        wrong |= {field: [error] for field, error in self._too_short()}
        if wrong:
            raise ValidationError(wrong)

    def _too_short(self) -> Iterator[tuple[str, ValidationError]]:
        pairs = (("overdue_second", "suspended"), ("revocation_warning", "ended"))
        for warning, deed in pairs:
            told, done = getattr(self, warning), getattr(self, deed)
            if told is not None and done is not None and told < done < told + self.notice_days:
                text = _("This must be at least %(days)s days after its announcement.")
                yield deed, ValidationError(text, params={"days": self.notice_days})


class PackageTimetable(models.Model):
    """A package whose renewals follow a timetable of their own."""

    timetable = models.ForeignKey(
        Timetable, models.CASCADE, related_name="packages", verbose_name=_("timetable")
    )
    package = models.OneToOneField(
        Package, models.CASCADE, related_name="+", verbose_name=_("package")
    )

    class Meta:
        verbose_name = _("package with this timetable")
        verbose_name_plural = _("packages with this timetable")

    def __str__(self) -> str:
        return f"{self.package}: {self.timetable}"
