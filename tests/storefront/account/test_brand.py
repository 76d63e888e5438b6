import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from billing import colours
from billing.colours import BLACK, NIGHT, WHITE
from billing.models import Brand

COLOURS = st.integers(0, 0xFFFFFF).map(lambda number: f"#{number:06x}")


@given(COLOURS)
def test_any_accent_becomes_readable_by_day_and_by_night(colour: str) -> None:
    palette = colours.palette(colour)
    assert colours.contrast(palette.accent, WHITE) >= 4.5
    assert colours.contrast(palette.accent_dark, NIGHT) >= 4.5
    assert colours.contrast(palette.on_accent, palette.accent) >= 4.5
    assert palette.on_accent in (WHITE, BLACK)


def test_a_readable_accent_stays_as_it_is() -> None:
    assert colours.palette("#0B5C6B").accent == "#0b5c6b"


@pytest.mark.parametrize("text", ["", "red", "#12345", "#gggggg", "#123456; } body { x: y"])
def test_anything_but_a_colour_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"colour|hex"):
        colours.palette(text)


def test_the_style_sheet_is_served_once_and_then_confirmed(now: object) -> None:
    first = Client().get("/brand.css")
    assert first["Content-Type"] == "text/css; charset=utf-8"
    assert b"--brand-accent: #0b5c6b;" in first.content
    assert not first.cookies
    again = Client().get("/brand.css", headers={"If-None-Match": first["ETag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_another_colour_is_another_entity(now: object) -> None:
    before = Client().get("/brand.css")["ETag"]
    Brand.objects.update(accent="#663399")
    after = Client().get("/brand.css", headers={"If-None-Match": before})
    assert after.status_code == 200
    assert b"#663399" in after.content


def test_there_are_colours_even_before_the_shop_is_set_up(db: None) -> None:
    assert Client().get("/brand.css").status_code == 200
