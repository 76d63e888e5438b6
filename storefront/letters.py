"""The mails about signing in: what each says. Their frame is templates/account/email/letter.*."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.utils.translation import gettext_noop as noop

from billing import rendering
from billing.mail_kinds import Kind
from billing.mail_texts import Passage, Texts
from billing.models import Brand, Mail
from billing.templatetags.editable import filled

FOLDER = "account/email"
VALUE = re.compile(r"%\((\w+)\)s")
SIGN_IN = gettext_lazy("Signing in")
SAMPLE = {
    **dict.fromkeys(("email", "to_email"), "customer@example.com"),
    **dict.fromkeys(("from_email", "deleted_email"), "before@example.com"),
    **{"ip": "192.0.2.1", "user_agent": "Firefox"},
}

SAFE_TO_IGNORE = gettext_lazy("If this was not you, ignore this e-mail: nothing has changed.")
ACT_NOW = gettext_lazy(
    "If this was not you, set a new password at once and reply to this e-mail: somebody else may "
    "have access to your account."
)


@dataclass(frozen=True, slots=True)
class Letter:
    """One mail. `link` names the value that holds its address; that value is a secret if `sealed`.

    Texts are message ids, translated when the mail is written; `%(email)s` and the like are values.
    """

    subject: str
    text: str
    when: str
    button: str = ""
    link: str = ""
    sealed: bool = False
    is_notice: bool = False


CONFIRM = Letter(
    noop("Please confirm your e-mail address"),
    noop("One click and we know that our messages, your login and your invoices reach you."),
    noop("When an address is added or has to be confirmed again."),
    noop("Confirm the address"),
    "activate_url",
    sealed=True,
)
LETTERS = {
    "email_confirmation": CONFIRM,
    "email_confirmation_signup": replace(CONFIRM, when=noop("After somebody has registered.")),
    "password_reset_key": Letter(
        noop("Choose a new password"),
        noop("Somebody, probably you, asked for a new password for %(email)s."),
        noop("When somebody has forgotten the password and asks for a new one."),
        noop("Choose a new password"),
        "password_reset_url",
        sealed=True,
    ),
    "account_already_exists": Letter(
        noop("You already have an account"),
        noop("Somebody, probably you, tried to create an account for %(email)s. There is one."),
        noop("When somebody registers with an address that has an account."),
        noop("Forgotten the password?"),
        "password_reset_url",
    ),
    "unknown_account": Letter(
        noop("There is no account with this address"),
        noop(
            "Somebody, probably you, asked for a new password, but %(email)s has no account here."
        ),
        noop("When somebody asks for a new password with an unknown address."),
        noop("Create an account"),
        "signup_url",
    ),
    "password_reset": Letter(
        noop("Your password was changed"),
        noop("A new password was set by a link that we had mailed to you."),
        noop("After a new password was set by a mailed link."),
        is_notice=True,
    ),
    "password_changed": Letter(
        noop("Your password was changed"),
        noop("From now on you sign in with the new one."),
        noop("After a password was changed."),
        is_notice=True,
    ),
    "password_set": Letter(
        noop("A password was set"),
        noop("A password was set for your account."),
        noop("After an account without a password got one."),
        is_notice=True,
    ),
    "email_changed": Letter(
        noop("Your e-mail address was changed"),
        noop("You now sign in with %(to_email)s instead of %(from_email)s."),
        noop("After the address for signing in was changed."),
        is_notice=True,
    ),
    "email_confirm": Letter(
        noop("Your e-mail address is confirmed"),
        noop("From now on our messages reach you here."),
        noop("After an address was confirmed."),
        is_notice=True,
    ),
    "email_deleted": Letter(
        noop("An e-mail address was removed"),
        noop("%(deleted_email)s no longer belongs to your account."),
        noop("After an address was removed."),
        is_notice=True,
    ),
    "totp_activated": Letter(
        noop("Authenticator app turned on"),
        noop("From now on, signing in needs a code from your authenticator app."),
        noop("After an authenticator app was set up."),
        is_notice=True,
    ),
    "totp_deactivated": Letter(
        noop("Authenticator app turned off"),
        noop("Signing in no longer needs a code from an app."),
        noop("After an authenticator app was removed."),
        is_notice=True,
    ),
    "second_factor_removed": Letter(
        noop("Second factor taken away"),
        noop(
            "Our staff took away your app, keys and recovery codes. Your password alone is enough."
        ),
        noop("After staff took away somebody's second factor."),
        is_notice=True,
    ),
    "webauthn_added": Letter(
        noop("Security key added"),
        noop("A security key or passkey was added to your account."),
        noop("After a security key or passkey was added."),
        is_notice=True,
    ),
    "webauthn_removed": Letter(
        noop("Security key removed"),
        noop("A security key or passkey was removed from your account."),
        noop("After a security key or passkey was removed."),
        is_notice=True,
    ),
    "recovery_codes_generated": Letter(
        noop("New recovery codes"),
        noop("New recovery codes were made. The old ones no longer work."),
        noop("After recovery codes were made anew."),
        is_notice=True,
    ),
}


@dataclass(frozen=True, slots=True)
class LetterKind(Kind):
    """One of these mails, beside the kinds of mail that billing sends."""

    @property
    def passages(self) -> tuple[Passage, ...]:
        return passages(self.code)

    def sample(
        self, situation: str, own: Texts, *, brand: Brand, language: str, at: datetime
    ) -> Mail:
        link = rendering.link("storefront:home") if LETTERS[self.code].link else ""
        with translation.override(language):
            said = write(self.code, SAMPLE, own=own, link=link)
        mail = Mail(template="letter", language=language)
        rendering.render(mail, said, brand=brand, folder=FOLDER)
        return mail


KINDS = tuple(
    LetterKind(name, SIGN_IN, gettext_lazy(letter.subject), gettext_lazy(letter.when))
    for name, letter in LETTERS.items()
)


def passages(name: str) -> tuple[Passage, ...]:
    """Return what staff may write in the mail."""
    letter = LETTERS[name]
    given = (("subject", letter.subject), ("text", letter.text))
    return tuple(Passage(code, text, tuple(VALUE.findall(text))) for code, text in given)


def write(name: str, values: Mapping[str, Any], *, own: Texts, link: str = "") -> dict[str, Any]:
    """Return what the frame shows, in the active language; raise KeyError for an unknown mail.

    `own` is what staff wrote instead of the standard text.
    """
    letter = LETTERS[name]
    subject = filled(own["subject"], values) if "subject" in own else _(letter.subject)
    text = filled(own["text"], values) if "text" in own else _(letter.text) % values
    return {
        "subject": subject,
        "heading": subject,
        "paragraphs": text.split("\n\n"),
        "facts": _facts(values) if letter.is_notice else [],
        "button_url": link,
        "button_label": _(letter.button) if letter.button else "",
        "footnote": str(ACT_NOW if letter.is_notice else SAFE_TO_IGNORE),
    }


def _facts(values: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Say from where the change came, so that a stranger's can be told from one's own."""
    facts = [
        (_("Network address"), str(values.get("ip") or "")),
        (_("Browser"), str(values.get("user_agent") or "")),
    ]
    return [(label, value) for label, value in facts if value]
