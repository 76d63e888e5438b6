"""What our books say of a gateway, and where the two do not agree."""

from __future__ import annotations

from django.db.models import Sum

from billing.models import Difference, Posting


def book(gateway: str, kind: str) -> int:
    """The sum of the gateway's book of that kind."""
    postings = Posting.objects.filter(account__kind=kind, account__name=gateway)
    return int(postings.aggregate(sum=Sum("amount_minor"))["sum"] or 0)


def open_differences() -> list[str]:
    return list(Difference.objects.filter(settled_at=None).values_list("kind", flat=True))
