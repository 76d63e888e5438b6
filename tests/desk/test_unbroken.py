"""What is read as one is marked, and nothing is added to it."""

import re

import pytest
from django.test import Client
from django.urls import reverse

from billing.models import Customer
from billing.templatetags.desk import summed
from packages.desk.unbroken import kept_whole

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


def test_pages_leave_the_desk_marked(staff: Client, marked: None) -> None:
    customer = Customer.objects.filter(users__isnull=False).latest("pk")
    html = staff.get(reverse("admin:billing_customer_change", args=[customer.pk])).content.decode()
    assert '<span class="unbroken">example.com</span>' in html or "unbroken" in html


@pytest.mark.parametrize(
    ("cells", "figures"),
    [
        (["12,00\xa0€", "–"], True),
        (["-€12.00", "€1,000.00"], True),
        (["10,00 € – 1.000,00 €", "5,00 €"], True),
        (["25,5 %"], True),
        (["3", "12"], True),
        (["–", ""], False),
        (["12,00 €", "unlimited"], False),
        (["31. Juli 2027"], False),
    ],
)
def test_a_column_of_figures_is_marked_with_its_heading(cells: list[str], figures: bool) -> None:
    rows = "".join(f'<tr><td class="field-fee nowrap">{each}</td></tr>' for each in cells)
    table = summed(f'<table><th class="sortable column-fee">Fee</th>{rows}</table>')
    assert table.count(" data-sum") == (len(cells) + 1 if figures else 0)
