"""Asking staff something, and replying: a text, and files of the kinds we take."""

import uuid
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from billing import ticket_files, tickets


class FilesInput(forms.ClearableFileInput):
    allow_multiple_selected = True


class FilesField(forms.FileField):
    """Several files; each is checked for its size and kind before anything is read into memory."""

    def __init__(self, **more: Any) -> None:
        super().__init__(
            label=_("Files"),
            required=False,
            help_text=_("Up to 5, each up to 5 MB: PDF, pictures, text, CSV or sound."),
            widget=FilesInput(attrs={"accept": ticket_files.ACCEPT}),
            **more,
        )

    def clean(self, data: Any, initial: Any = None) -> Any:
        given = [super(FilesField, self).clean(each, initial) for each in data or []]
        try:
            ticket_files.check([(each.name, each.size) for each in given])
        except ticket_files.Unsuitable as error:
            raise forms.ValidationError(str(error)) from error
        return given


class ReplyForm(forms.Form):
    """What one says; the key makes a second press of the button do nothing."""

    key = forms.UUIDField(widget=forms.HiddenInput, initial=uuid.uuid4)
    text = forms.CharField(
        label=_("Message"), max_length=10_000, widget=forms.Textarea(attrs={"rows": 6})
    )
    attached = FilesField()

    def said(self) -> tickets.Said:
        """Return what was said, from valid data only."""
        files = [
            ticket_files.File(each.name, each.read()) for each in self.cleaned_data["attached"]
        ]
        return tickets.Said(self.cleaned_data["text"], files, self.cleaned_data["key"])


class TicketForm(ReplyForm):
    """A new request."""

    subject = forms.CharField(label=_("What is it about?"), max_length=150)
    field_order = ("key", "subject", "text", "attached")
