"""The operator's accent colour, made readable: one colour in, three for the style sheet out.

Contrast and relative luminance as WCAG 2.2 defines them.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

AA = 4.5
WHITE = "#ffffff"
BLACK = "#000000"
# The page by night; docs/look.md promises the accent's contrast against it.
NIGHT = "#0c1116"
STEPS = 100
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
    day = _readable(accent, ground=WHITE, towards=BLACK)
    night = _readable(accent, ground=NIGHT, towards=WHITE)
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


def _readable(colour: str, *, ground: str, towards: str) -> str:
    shades = _shades(colour, towards)
    return next(shade for shade in shades if contrast(shade, ground) >= AA)


def _shades(colour: str, towards: str) -> Iterator[str]:
    """Give the colour itself, then ever more of `towards`, which is the last one."""
    start, end = _rgb(colour), _rgb(towards)
    for step in range(STEPS + 1):
        mixed = (round(a + (b - a) * step / STEPS) for a, b in zip(start, end, strict=True))
        yield "#" + "".join(f"{part:02x}" for part in mixed)


def _rgb(colour: str) -> Rgb:
    if len(colour) != 7 or colour[0] != "#":
        raise ValueError(f"{colour!r} is no colour like #0b5fff.")
    red, green, blue = bytes.fromhex(colour[1:])
    return red, green, blue


def _luminance(rgb: Rgb) -> float:
    parts = [part / 255 for part in rgb]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
