"""Words that no line may part are held together, in text alone."""

import pytest

from billing import unparted

JOINED = "E-\u2060Mail"


@pytest.mark.parametrize(
    ("html", "held"),
    [
        ("<p>Eine E-Mail</p>", f"<p>Eine {JOINED}</p>"),
        ("<b>E-Mail-Adresse</b>", f"<b>{JOINED}-Adresse</b>"),
        ("an e-mail.", "an e-\u2060mail."),
        ("Authenticator-App einrichten", "Authenticator-\u2060App einrichten"),
        ("(z. B. Stripe)", "(z.\u00a0B. Stripe)"),
    ],
)
def test_a_page_holds_them(html: str, held: str) -> None:
    assert unparted.page(html) == held


@pytest.mark.parametrize(
    "html",
    [
        '<a href="/e-mail/" title="E-Mail">x</a>',
        "<textarea>Ihre E-Mail, z. B. gestern</textarea>",
        "<title>E-Mail</title>",
        "e-mail@example.com",
        "https://example.com/e-mail",
        "Pre-Mail",
    ],
)
def test_what_is_no_text_of_ours_stays_as_it_is(html: str) -> None:
    assert unparted.page(html) == unparted.mail(html) == html


def test_a_mail_does_it_without_a_character_that_programs_may_not_know() -> None:
    held = '<p>Eine <span style="white-space:nowrap">E-Mail</span>, z.\u00a0B. heute</p>'
    assert unparted.mail("<p>Eine E-Mail, z. B. heute</p>") == held
