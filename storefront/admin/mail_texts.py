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
from billing.models import Mail, MailText, current_brand
from packages import clock
from packages.desk.door import demand_fresh_proof
from packages.desk.sheets import Sheet, register
from storefront import mail_designs
from storefront.mail_kinds import KINDS

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

    @property
    def own(self) -> dict[str, str]:
        """Return what staff wrote in it and is used."""
        return mail_texts.written(self.kind.code, self.kind.passages, language=self.language)

    def sample(self, own: Texts) -> Mail:
        return self.kind.sample(
            self.situation, own, brand=current_brand(), language=self.language, at=clock.now()
        )

    def query(self, **changed: str) -> str:
        now = {"mail": self.kind.code, "language": self.language, "situation": self.situation}
        return "?" + urlencode({name: value for name, value in {**now, **changed}.items() if value})


class TextsForm(forms.Form):
    """A field for each passage, which holds the text that is sent now."""

    def __init__(self, asked: Asked, own: Texts, data: Any = None) -> None:
        super().__init__(data)
        self.passages: dict[str, Passage] = {}
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

    @property
    def texts(self) -> dict[str, str]:
        """Return what was written, by the passages' codes."""
        return {
            each.code: mail_texts.tidied(self.cleaned_data.get(name, ""))
            for name, each in self.passages.items()
        }

    def clean(self) -> None:
        for name, passage in self.passages.items():
            text = mail_texts.tidied(self.cleaned_data.get(name, ""))
            for problem in passage.problems(text) if text else ():
                self.add_error(name, problem)


@register
class Mails(Sheet):
    """Every mail, and which of them say what staff wrote."""

    code = "mail-texts"
    label = gettext_lazy("Mails to customers")
    right = SEE
    template = "admin/mail_texts.html"

    def told(self, request: HttpRequest) -> dict[str, Any]:
        stored = {(row.mail, row.language): row for row in MailText.objects.all()}
        groups = groupby(KINDS.values(), key=lambda kind: str(kind.group))
        return {
            "groups": [(name, [_listed(kind, stored) for kind in kinds]) for name, kinds in groups],
        }


@register
class MailPreview(Sheet):
    """One mail as a sample customer gets it, and the form for its texts."""

    code = "mail-text"
    label = gettext_lazy("Mail")
    right = SEE
    template = "admin/mail_text.html"
    listed = False

    def answer(self, request: HttpRequest) -> HttpResponse:
        if not request.GET.get("mail"):
            return HttpResponseRedirect(Mails().url)
        asked, own = _asked(request), {}
        form = TextsForm(asked, asked.own)
        if request.method == "POST":
            if not request.user.has_perm(EDIT):
                raise PermissionDenied
            form = TextsForm(asked, asked.own, request.POST)
            if (done := request.POST.get("do")) == "standard" or form.is_valid():
                if done in ("save", "standard"):
                    return self._saved(request, asked, {} if done == "standard" else form.texts)
                own = {code: text for code, text in form.texts.items() if text}
        return self._shown(request, asked, form, own or asked.own)

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
        self, request: HttpRequest, asked: Asked, form: TextsForm, own: Texts
    ) -> HttpResponse:
        mail = asked.sample(own)
        design = mail_designs.of(mail.html)
        response = super().answer(request)
        response.context_data |= {  # type: ignore[attr-defined]
            "title": asked.kind.name,
            "asked": asked,
            "mail": mail,
            "brand": current_brand(),
            "design": design.html,
            "languages": [(name, asked.query(language=code), code) for code, name in _languages()],
            "situations": list(_situations(asked)),
            "form": form if request.user.has_perm(EDIT) and form.passages else None,
            "edited": bool(asked.own),
            "unsaved": request.method == "POST" and form.is_valid(),
            "unused": _unused(asked),
        }
        # The frame's document has the page's policy, so that has to know the mail's style sheet.
        response._csp_update = {"style-src": [design.source]}  # type: ignore[attr-defined]
        return response


@register
class MailDesign(Sheet):
    """The same mail as a document of its own, on a whole screen."""

    code = "mail-design"
    label = gettext_lazy("Mail")
    right = SEE
    template = ""
    listed = False

    def answer(self, request: HttpRequest) -> HttpResponse:
        if not request.GET.get("mail"):
            return HttpResponseRedirect(Mails().url)
        asked = _asked(request)
        return mail_designs.answer(asked.sample(asked.own).html)


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


def _listed(kind: Kind, stored: dict[tuple[str, str], MailText]) -> dict[str, Any]:
    ways = []
    for code, name in _languages():
        row = stored.get((kind.code, code))
        asked = Asked(kind, code, "")
        unused = bool(row and row.texts and _unused(asked))
        ways.append((name, asked.query(), bool(row and row.texts), unused))
    return {"kind": kind, "ways": ways, "fixed": not kind.passages}


def _situations(asked: Asked) -> Iterator[tuple[Text, str, bool]]:
    for each in ("", *asked.kind.situations) if asked.kind.situations else ():
        yield SITUATIONS[each], asked.query(situation=each), each == asked.situation


def _unused(asked: Asked) -> list[Text]:
    """Return what staff wrote and no longer fits the mail, as labels."""
    found = mail_texts.unfit({asked.kind.code: asked.kind.passages})
    known = {each.code: _label(each) for each in asked.kind.passages}
    return [
        known.get(code, code)
        for row, code in found
        if (row.mail, row.language) == (asked.kind.code, asked.language)
    ]


def _label(passage: Passage) -> str:
    name = str(PARTS[passage.part])
    if not passage.situation:
        return name
    return f"{name}, {SITUATIONS[passage.situation]}"


def _widget(passage: Passage, language: str) -> forms.Widget:
    look = {"lang": language, "spellcheck": "true"}
    return forms.TextInput(look) if passage.is_line else forms.Textarea({**look, "rows": 4})
