"""Which servers a package is sold on."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from packages.models import Package


class Pool(models.Model):
    """A named set of servers; `Server.pools` says which. A new account goes to one of them."""

    name = models.CharField(_("name"), max_length=60, unique=True)
    is_default = models.BooleanField(
        _("default"), default=False, help_text=_("For every package that has no pool of its own.")
    )

    class Meta:
        ordering = ["name"]
        verbose_name = _("server pool")
        verbose_name_plural = _("server pools")
        constraints = [
            models.UniqueConstraint(
                fields=["is_default"], condition=Q(is_default=True), name="pool_one_default"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class PoolPackage(models.Model):
    """A package that is sold on a pool of its own."""

    pool = models.ForeignKey(Pool, models.CASCADE, related_name="packages")
    package = models.OneToOneField(
        Package, models.CASCADE, related_name="+", verbose_name=_("package")
    )

    class Meta:
        verbose_name = _("package sold on this pool")
        verbose_name_plural = _("packages sold on this pool")

    def __str__(self) -> str:
        return f"{self.package}: {self.pool}"
