"""What is read as one is marked, and nothing is added to it."""

import re

import pytest

from packages.unbroken import in_mail, joined, kept_whole

pytestmark = pytest.mark.usefixtures("marked")
MARK = re.compile(r'<span class="unbroken">(.*?)</span>')


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ("R-2027-0014 über 12,00\xa0€", ["R-2027-0014", "12,00\xa0€"]),
        ("-€12.00 on 31 July 2027", ["-€12.00", "31 July 2027"]),
        ("31. Juli 2027 22:42 · 7. Aug. 2027", ["31. Juli 2027 22:42", "7. Aug. 2027"]),
        ("adamuster-4e5384 (23 %)", ["adamuster-4e5384", "23 %"]),
        ("E-Mail-Adresse", ["E-Mail-"]),
        ("mira.schoenfeld@example.com", ["mira.schoenfeld@", "example.com"]),
        ("DE89370400440532013000", ["DE8937040044", "0532013000"]),
        ("Visa •••• 4242", ["Visa •••• 4242"]),
        ("<a>Bank statement 3</a> of 3 lines", ["statement 3"]),
        ("USt-IdNrn. und USt-IdNr. DE1", ["USt-IdNrn.", "USt-IdNr."]),
        ("24 Stunden, in 30 Tagen, 243 Tage voraus", ["24 Stunden", "30 Tagen", "243 Tage"]),
        ("1 Konto, 2 Dienste; 1 day or 72 hours", ["1 Konto", "2 Dienste", "1 day", "72 hours"]),
        ("30 Taguhren, 12345 days, 2.500 days, 3 daylight", []),
        ("in 2027, self-made, &#x27;x", []),
        ('<a title="R-1-2">x</a><option>R-2027-0014</option>', ["R-2027-0014"]),
        ("<select><option>R-2027-0014</option></select>", []),
        ("<textarea>R-2027-0014</textarea>", []),
        # What would not fit on a phone may be parted.
        ("a-name-of-parts-that-is-longer-than-a-phone-is-wide-1", []),
    ],
)
def test_what_is_read_as_one_is_marked(text: str, whole: list[str]) -> None:
    marked = kept_whole(text)
    assert MARK.findall(marked) == whole
    assert MARK.sub(r"\1", marked).replace("<wbr>", "") == text


@pytest.mark.parametrize(
    ("html", "whole"),
    [
        ("<p>Eine E-Mail, an e-mail</p>", ["E-Mail", "e-mail"]),
        ("Authenticator-App einrichten (z. B. Stripe)", ["Authenticator-App", "z. B."]),
        ('<a href="/e-mail/" title="E-Mail">x</a>', []),
        ("<title>E-Mail</title>", []),
        ("https://example.com/e-mail, Pre-Mail", []),
    ],
)
def test_words_with_a_hyphen_of_their_own_are_marked(html: str, whole: list[str]) -> None:
    assert MARK.findall(kept_whole(html)) == whole


def test_a_mail_says_it_by_a_style_of_its_own() -> None:
    held = '<p>Eine <span style="white-space:nowrap">E-Mail</span></p>'
    assert in_mail("<p>Eine E-Mail</p>") == held


@pytest.mark.parametrize(
    ("html", "held"),
    [
        ("<b>E-Mail-Adresse</b>", "<b>E-\u2060Mail-Adresse</b>"),
        ("Authenticator-App, z. B. heute", "Authenticator-\u2060App, z.\u00a0B. heute"),
        ("am 31. August 2027", "am 31.\u00a0August\u00a02027"),
        ("Rechnung R-2027-0014.", 'Rechnung <span class="nowrap">R-2027-0014</span>.'),
        ('<a href="/e-mail/?R-2027-0014">e-mail@example.com</a>', ""),
        ("<textarea>Ihre E-Mail am 31. August 2027</textarea>", ""),
    ],
)
def test_a_page_of_the_shop_holds_words_and_dates_without_marks(html: str, held: str) -> None:
    assert joined(html) == (held or html)
