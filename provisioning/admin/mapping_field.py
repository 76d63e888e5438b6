"""The field for a server's mapping: JSON on several lines."""

import json
from typing import Any

from django import forms
from django.forms.fields import InvalidJSONInput
from django.utils.translation import gettext_lazy


class MappingField(forms.JSONField):
    """What was typed wrongly comes back as it was typed."""

    widget = forms.Textarea

    def __init__(self, **kwargs: Any) -> None:
        attributes = {"rows": 14, "class": "desk-code", "spellcheck": "false"}
        usual: dict[str, Any] = {
            "label": gettext_lazy("Mapping"),
            "required": False,
            "widget": forms.Textarea(attrs=attributes),
            "help_text": gettext_lazy(
                "Only what differs from the profile's defaults (below). {} takes them all."
            ),
        }
        super().__init__(**{**usual, **kwargs})

    def prepare_value(self, value: Any) -> Any:
        if isinstance(value, InvalidJSONInput):
            return value
        return json.dumps({} if value is None else value, indent=2, ensure_ascii=False)
