"""The line that a mailbox shows beside the subject: there is one, and it reads as a sentence."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest

from storefront.mail_kinds import KINDS
from tests.billing import orders

AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
PREVIEW = re.compile(r'<div style="display:none[^>]*>(.*?)</div>', re.DOTALL)


@pytest.mark.django_db
@pytest.mark.parametrize("language", ["de", "en"])
def test_every_mail_has_a_preview_that_says_more_than_its_subject(language: str) -> None:
    brand = orders.seeded(at=AT)
    for kind in KINDS.values():
        for situation in ("", *kind.situations):
            mail = kind.sample(situation, {}, brand=brand, language=language, at=AT)
            found = PREVIEW.search(mail.html)
            preview = " ".join(found[1].split()) if found else ""
            assert " " in preview, (kind.code, situation)
            first = preview.split()[0]
            assert "@" in first or not first[0].islower(), (kind.code, preview)
            assert preview != mail.subject, (kind.code, preview)
