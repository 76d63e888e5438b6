"""The cards above the list of apps."""

from typing import Any

from django import template

from billing import overview
from packages import clock

register = template.Library()


@register.simple_tag(takes_context=True)
def desk_cards(context: dict[str, Any]) -> list[overview.Card]:
    """Return the cards that the signed-in person may see."""
    user = context["request"].user
    return [card for card in overview.cards(at=clock.now()) if user.has_perm(card.right)]
