"""The operator's accent colour, made readable: one colour in, three for the style sheet out.

Contrast and relative luminance as WCAG 2.2 defines them.
"""

import colorsys
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

WHITE = "#ffffff"
BLACK = "#000000"
# The page by night, static/css/tokens.css. AA wants 4.5 : 1; the rest is for the tinted surfaces
# that the accent also stands on.
NIGHT = "#0c1116"
AA = 4.5
BY_DAY = 5.2
BY_NIGHT = 7.0
STEPS = 200
Rgb = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Palette:
    """The accent by day, the accent by night, and the text that stands on the accent by day."""

    accent: str
    accent_dark: str
    on_accent: str


@lru_cache(maxsize=32)
def palette(accent: str) -> Palette:
    """Return the nearest readable shades of `#rrggbb`; raise ValueError for any other text."""
    day = _readable(accent, ground=WHITE, least=BY_DAY, towards=0)
    night = _readable(accent, ground=NIGHT, least=BY_NIGHT, towards=1)
    white_reads_better = contrast(WHITE, day) >= contrast(BLACK, day)
    return Palette(day, night, WHITE if white_reads_better else BLACK)


def stylesheet(accent: str) -> str:
    """Return /brand.css: the three custom properties that static/css/tokens.css reads."""
    colours = palette(accent)
    return (
        ":root {\n"
        f"  --brand-accent: {colours.accent};\n"
        f"  --brand-accent-dark: {colours.accent_dark};\n"
        f"  --brand-on-accent: {colours.on_accent};\n"
        "}\n"
    )


def fingerprint(text: str) -> str:
    """Return an entity tag: equal texts have equal tags."""
    return f'"{hashlib.sha256(text.encode()).hexdigest()[:16]}"'


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio of two `#rrggbb` colours, from 1 to 21."""
    bright, dim = sorted((_luminance(_rgb(one)), _luminance(_rgb(other))), reverse=True)
    return (bright + 0.05) / (dim + 0.05)


def _readable(colour: str, *, ground: str, least: float, towards: int) -> str:
    shades = _shades(colour, towards)
    return next(shade for shade in shades if contrast(shade, ground) >= least)


def _shades(colour: str, towards: int) -> Iterator[str]:
    """Give the colour itself, then ever lighter (1) or darker (0) ones of the same hue."""
    yield colour.lower()
    hue, lightness, saturation = colorsys.rgb_to_hls(*(part / 255 for part in _rgb(colour)))
    for step in range(1, STEPS + 1):
        moved = lightness + (towards - lightness) * step / STEPS
        shade = colorsys.hls_to_rgb(hue, moved, saturation)
        yield "#" + "".join(f"{round(part * 255):02x}" for part in shade)


def _rgb(colour: str) -> Rgb:
    if len(colour) != 7 or colour[0] != "#":
        raise ValueError(f"{colour!r} is no colour like #0b5fff.")
    red, green, blue = bytes.fromhex(colour[1:])
    return red, green, blue


def _luminance(rgb: Rgb) -> float:
    parts = [part / 255 for part in rgb]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
