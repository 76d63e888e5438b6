"""The cards above the list of apps."""

from typing import Any

from django import template

from billing import alert_texts, alerts, overview
from packages import clock

register = template.Library()


@register.simple_tag(takes_context=True)
def desk_cards(context: dict[str, Any]) -> list[overview.Card]:
    """Return the cards that the signed-in person may see."""
    user = context["request"].user
    return [card for card in overview.cards(at=clock.now()) if user.has_perm(card.right)]


@register.simple_tag(takes_context=True)
def desk_alerts(context: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the alerts that are told and not over, for whoever may see them."""
    if not context["request"].user.has_perm("billing.view_alert"):
        return []
    return [
        {"title": alert_texts.title(each), "found_at": each.found_at, "row": each}
        for each in alerts.standing()
    ]
