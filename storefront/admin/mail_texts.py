"""The sheets about mails: all there are, each as a sample customer gets it, and our own words."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.http import urlencode
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing import mail_texts
from billing.mail_kinds import SITUATIONS, Kind, Text
from billing.mail_texts import Passage, Texts
from billing.models import Brand, Mail, MailText, current_brand
from packages import clock
from packages.desk.door import demand_fresh_proof
from packages.desk.sheets import Sheet, register
from storefront import mail_designs
from storefront.mail_kinds import KINDS

# A mail, and the language that it is in.
Version = tuple[str, str]
SEE, EDIT = "billing.view_brand", "billing.change_brand"
PARTS: dict[str, Text] = {
    "subject": gettext_lazy("Subject"),
    "heading": gettext_lazy("Heading"),
    "greeting": gettext_lazy("Salutation"),
    "text": gettext_lazy("Text"),
    "more": gettext_lazy("Further text"),
}


@dataclass(frozen=True, slots=True)
class Asked:
    """Which mail is looked at, in which language and situation."""

    kind: Kind
    language: str
    situation: str

    def own(self) -> dict[str, str]:
        """Return what staff wrote in it and is used; a query."""
        return mail_texts.written(self.kind.code, self.kind.passages, language=self.language)

    def sample(self, own: Texts, brand: Brand) -> Mail:
        return self.kind.sample(
            self.situation, own, brand=brand, language=self.language, at=clock.now()
        )

    def query(self, **changed: str) -> str:
        now = {"mail": self.kind.code, "language": self.language, "situation": self.situation}
        return "?" + urlencode({name: value for name, value in {**now, **changed}.items() if value})


class TextsForm(forms.Form):
    """A field for each passage, which holds the text that is sent now."""

    def __init__(self, asked: Asked, own: Texts, data: Any = None) -> None:
        super().__init__(data)
        self.passages: dict[str, Passage] = {}
        # What was written, by the passages' codes.
        self.texts: dict[str, str] = {}
        for each in asked.kind.passages:
            standard = each.standard(asked.language)
            name = each.code.replace(".", "-")
            self.passages[name] = each
            self.fields[name] = forms.CharField(
                label=_label(each),
                required=False,
                initial=own.get(each.code, standard),
                widget=_widget(each, asked.language),
                help_text=each.allowed if each.names else "",
            )

    def clean(self) -> None:
        for name, passage in self.passages.items():
            text = mail_texts.tidied(self.cleaned_data.get(name, ""))
            self.texts[passage.code] = text
            for problem in passage.problems(text) if text else ():
                self.add_error(name, problem)


@register
class Mails(Sheet):
    """Every mail, and which of them say what staff wrote."""

    code = "mail-texts"
    label = gettext_lazy("Texts of the mails")
    right = SEE
    template = "admin/mail_texts.html"

    def told(self, request: HttpRequest) -> dict[str, Any]:
        stored = [row for row in MailText.objects.all() if row.texts]
        edited = {(row.mail, row.language) for row in stored}
        passages = {code: kind.passages for code, kind in KINDS.items()}
        unused = {(row.mail, row.language) for row, _code in mail_texts.unfit(stored, passages)}
        groups = groupby(KINDS.values(), key=lambda kind: str(kind.group))
        return {
            "groups": [
                (name, [_listed(kind, edited, unused) for kind in kinds]) for name, kinds in groups
            ],
        }


class OneMail(Sheet):
    """A sheet about one mail; without a mail it leads to the list."""

    label = gettext_lazy("Mail")
    right = SEE
    listed = False

    def answer(self, request: HttpRequest) -> HttpResponse:
        if not request.GET.get("mail"):
            return HttpResponseRedirect(Mails().url)
        return self.about(request, _asked(request))

    def about(self, request: HttpRequest, asked: Asked) -> HttpResponse:
        raise NotImplementedError


@register
class MailPreview(OneMail):
    """One mail as a sample customer gets it, and the form for its texts."""

    code = "mail-text"
    template = "admin/mail_text.html"

    def about(self, request: HttpRequest, asked: Asked) -> HttpResponse:
        own = asked.own()
        if request.method != "POST":
            return self._shown(request, asked, TextsForm(asked, own), own, edited=bool(own))
        if not request.user.has_perm(EDIT):
            raise PermissionDenied
        form, done = TextsForm(asked, own, request.POST), request.POST.get("do")
        if done == "standard":
            return self._saved(request, asked, {})
        if form.is_valid() and done == "save":
            return self._saved(request, asked, form.texts)
        given = {code: text for code, text in form.texts.items() if text and form.is_valid()}
        return self._shown(request, asked, form, given or own, edited=bool(own))

    def _saved(self, request: HttpRequest, asked: Asked, texts: Texts) -> HttpResponse:
        demand_fresh_proof(request)
        kind, actor = asked.kind, f"staff:{request.user.pk}"
        mail_texts.save(
            kind.code, kind.passages, texts, language=asked.language, at=clock.now(), actor=actor
        )
        said = _("It is saved; the next mail says it.")
        messages.success(request, said if texts else _("The standard text is sent again."))
        return HttpResponseRedirect(self.url + asked.query())

    def _shown(
        self, request: HttpRequest, asked: Asked, form: TextsForm, own: Texts, *, edited: bool
    ) -> HttpResponse:
        brand = current_brand()
        mail = asked.sample(own, brand)
        design = mail_designs.of(mail.html)
        response = Sheet.answer(self, request)
        response.context_data |= {  # type: ignore[attr-defined]
            "title": asked.kind.name,
            "asked": asked,
            "mail": mail,
            "brand": brand,
            "design": design.html,
            "languages": [(name, asked.query(language=code), code) for code, name in _languages()],
            "situations": list(_situations(asked)),
            "form": form if request.user.has_perm(EDIT) and form.passages else None,
            "edited": edited,
            "unsaved": request.method == "POST" and form.is_valid(),
            "unused": _unused(asked),
        }
        # The frame's document has the page's policy, so that has to know the mail's style sheet.
        response._csp_update = {"style-src": [design.source]}  # type: ignore[attr-defined]
        return response


@register
class MailDesign(OneMail):
    """The same mail as a document of its own, on a whole screen."""

    code = "mail-design"

    def about(self, request: HttpRequest, asked: Asked) -> HttpResponse:
        return mail_designs.answer(asked.sample(asked.own(), current_brand()).html)


def _asked(request: HttpRequest) -> Asked:
    given = request.GET
    kind = KINDS.get(given.get("mail", ""))
    if kind is None:
        raise Http404
    languages = dict(settings.LANGUAGES)
    language, situation = given.get("language", ""), given.get("situation", "")
    return Asked(
        kind,
        language if language in languages else next(iter(languages)),
        situation if situation in kind.situations else "",
    )


def _languages() -> list[tuple[str, str]]:
    return [(code, capfirst(str(name))) for code, name in settings.LANGUAGES]


def _listed(kind: Kind, edited: set[Version], unused: set[Version]) -> dict[str, Any]:
    ways = [
        (
            name,
            Asked(kind, code, "").query(),
            (kind.code, code) in edited,
            (kind.code, code) in unused,
        )
        for code, name in _languages()
    ]
    return {"kind": kind, "ways": ways, "fixed": not kind.passages}


def _situations(asked: Asked) -> Iterator[tuple[Text, str, bool]]:
    for each in ("", *asked.kind.situations) if asked.kind.situations else ():
        yield SITUATIONS[each], asked.query(situation=each), each == asked.situation


def _unused(asked: Asked) -> list[Text]:
    """Return what staff wrote and no longer fits the mail, as labels."""
    rows = MailText.objects.filter(mail=asked.kind.code, language=asked.language)
    found = mail_texts.unfit(rows, {asked.kind.code: asked.kind.passages})
    known = {each.code: _label(each) for each in asked.kind.passages}
    return [known.get(code, code) for _row, code in found]


def _label(passage: Passage) -> str:
    name = str(PARTS[passage.part])
    if not passage.situation:
        return name
    return f"{name}, {SITUATIONS[passage.situation]}"


def _widget(passage: Passage, language: str) -> forms.Widget:
    look = {"lang": language, "spellcheck": "true"}
    return forms.TextInput(look) if passage.is_line else forms.Textarea({**look, "rows": 4})
