"""A customer as a gateway knows them."""

from __future__ import annotations

import uuid

from django.db import models
from django.utils.translation import gettext_lazy as _

from billing.models.customer import Customer


class Payer(models.Model):
    """A customer's object at an account of a gateway; `key` made asking for it repeatable.

    `external_id` is null from the asking until the gateway's answer is known.
    """

    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    customer = models.ForeignKey(Customer, models.PROTECT, related_name="payers")
    gateway = models.CharField(_("gateway"), max_length=20)
    account = models.CharField(_("account"), max_length=60)
    livemode = models.BooleanField()
    external_id = models.CharField(_("id at the gateway"), max_length=80, null=True)
    created_at = models.DateTimeField()

    class Meta:
        verbose_name = _("customer at a gateway")
        verbose_name_plural = _("customers at gateways")
        constraints = [
            models.UniqueConstraint(
                fields=["customer", "gateway", "account", "livemode"], name="payer_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.gateway} {self.external_id or self.key}"
