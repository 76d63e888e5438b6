"""Pages leave the desk marked; columns of figures are told from others by their cells."""

import pytest
from django.test import Client
from django.urls import reverse

from billing.models import Customer
from billing.templatetags.desk import summed


def test_pages_leave_the_desk_marked(staff: Client, marked: None) -> None:
    customer = Customer.objects.filter(users__isnull=False).latest("pk")
    html = staff.get(reverse("admin:billing_customer_change", args=[customer.pk])).content.decode()
    assert 'class="unbroken"' in html


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
