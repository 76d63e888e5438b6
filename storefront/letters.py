"""The mails about signing in: what each says. Their frame is templates/account/email/letter.*."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.utils.translation import gettext_noop as noop

SAFE_TO_IGNORE = gettext_lazy("If this was not you, ignore this mail: nothing has changed.")
ACT_NOW = gettext_lazy(
    "If this was not you, set a new password at once and answer this mail: somebody else may have "
    "access to your account."
)


@dataclass(frozen=True, slots=True)
class Letter:
    """One mail. `link` names the value that holds its address; that value is a secret if `sealed`.

    Texts are message ids, translated when the mail is written; `%(email)s` and the like are values.
    """

    subject: str
    text: str
    button: str = ""
    link: str = ""
    sealed: bool = False
    is_notice: bool = False


CONFIRM = Letter(
    noop("Please confirm your e-mail address"),
    noop("One click and we know that our messages, your login and your invoices reach you."),
    noop("Confirm the address"),
    "activate_url",
    sealed=True,
)
LETTERS = {
    "email_confirmation": CONFIRM,
    "email_confirmation_signup": CONFIRM,
    "password_reset_key": Letter(
        noop("Choose a new password"),
        noop("Somebody, probably you, asked for a new password for %(email)s."),
        noop("Choose a new password"),
        "password_reset_url",
        sealed=True,
    ),
    "account_already_exists": Letter(
        noop("You already have an account"),
        noop("Somebody, probably you, tried to create an account for %(email)s. There is one."),
        noop("Forgotten the password?"),
        "password_reset_url",
    ),
    "unknown_account": Letter(
        noop("There is no account with this address"),
        noop(
            "Somebody, probably you, asked for a new password, but %(email)s has no account here."
        ),
        noop("Create an account"),
        "signup_url",
    ),
    "password_reset": Letter(
        noop("Your password was changed"),
        noop("A new password was set by a link that we had mailed to you."),
        is_notice=True,
    ),
    "password_changed": Letter(
        noop("Your password was changed"), noop("Your password was changed."), is_notice=True
    ),
    "password_set": Letter(
        noop("A password was set"),
        noop("A password was set for your account."),
        is_notice=True,
    ),
    "email_changed": Letter(
        noop("Your e-mail address was changed"),
        noop("You now sign in with %(to_email)s instead of %(from_email)s."),
        is_notice=True,
    ),
    "email_confirm": Letter(
        noop("Your e-mail address is confirmed"),
        noop("Your e-mail address is confirmed."),
        is_notice=True,
    ),
    "email_deleted": Letter(
        noop("An e-mail address was removed"),
        noop("%(deleted_email)s no longer belongs to your account."),
        is_notice=True,
    ),
    "totp_activated": Letter(
        noop("Authenticator app turned on"),
        noop("From now on, signing in needs a code from your authenticator app."),
        is_notice=True,
    ),
    "totp_deactivated": Letter(
        noop("Authenticator app turned off"),
        noop("Signing in no longer needs a code from an app."),
        is_notice=True,
    ),
    "second_factor_removed": Letter(
        noop("Second factor taken away"),
        noop(
            "Our staff took away your app, keys and recovery codes. Your password alone is enough."
        ),
        is_notice=True,
    ),
    "webauthn_added": Letter(
        noop("Security key added"),
        noop("A security key or passkey was added to your account."),
        is_notice=True,
    ),
    "webauthn_removed": Letter(
        noop("Security key removed"),
        noop("A security key or passkey was removed from your account."),
        is_notice=True,
    ),
    "recovery_codes_generated": Letter(
        noop("New recovery codes"),
        noop("New recovery codes were made. The old ones no longer work."),
        is_notice=True,
    ),
}


def write(name: str, values: Mapping[str, Any], *, link: str = "") -> dict[str, Any]:
    """Return what the frame shows, in the active language; raise KeyError for an unknown mail."""
    letter = LETTERS[name]
    subject = _(letter.subject)
    return {
        "subject": subject,
        "heading": subject,
        "preheader": "",
        "paragraphs": [_(letter.text) % values],
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
