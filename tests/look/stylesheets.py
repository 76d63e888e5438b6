"""The stylesheets as data: variables, classes, colours. Reads files only."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CSS = ROOT / "static" / "css"
COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)

Colour = tuple[float, float, float]


def files() -> list[Path]:
    return sorted(CSS.rglob("*.css"))


def text(path: Path) -> str:
    return COMMENT.sub("", path.read_text())


def classes(path: Path) -> set[str]:
    """Names of classes in selectors; values and at-rules do not count."""
    css = re.sub(r'"[^"]*"', '""', text(path))
    selectors = re.findall(r"([^{};]+)\{", css)
    rules = [part for part in selectors if not part.strip().startswith("@")]
    return {name for part in rules for name in re.findall(r"\.([a-z][\w-]*)", part)}


def used_variables(path: Path) -> set[str]:
    """Names read by var() without a fallback."""
    return set(re.findall(r"var\(\s*(--[\w-]+)\s*\)", text(path)))


def defined_variables(path: Path) -> dict[str, str]:
    """Last value of each custom property set anywhere in the file."""
    found = re.findall(r"(?<![\w-])(--[\w-]+)\s*:\s*([^;}]+)", text(path))
    return {name: " ".join(value.split()) for name, value in found}


def colour(value: str, *, tokens: dict[str, str], side: int) -> Colour:
    """Resolve a token's value to sRGB 0..1; side 0 is day, 1 is night."""
    value = value.strip()
    if value.startswith("#"):
        return _hex(value)
    name, arguments = _call(value)
    if name == "var":
        known = tokens.get(arguments[0])
        return colour(known or arguments[1], tokens=tokens, side=side)
    if name == "light-dark":
        return colour(arguments[side], tokens=tokens, side=side)
    if name == "color-mix":
        return _mix(arguments, tokens=tokens, side=side)
    raise ValueError(value)


def contrast(one: Colour, other: Colour) -> float:
    """WCAG 2.2 contrast ratio, 1..21."""
    bright, dim = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (bright + 0.05) / (dim + 0.05)


def _hex(value: str) -> Colour:
    red, green, blue = (int(value[i : i + 2], 16) / 255 for i in (1, 3, 5))
    return red, green, blue


def _call(value: str) -> tuple[str, list[str]]:
    name, _, rest = value.partition("(")
    parts, depth, part = [], 0, ""
    for char in rest[: rest.rindex(")")]:
        depth += (char == "(") - (char == ")")
        if char == "," and depth == 0:
            parts.append(part.strip())
            part = ""
        else:
            part += char
    return name, [*parts, part.strip()]


def _mix(arguments: list[str], *, tokens: dict[str, str], side: int) -> Colour:
    first, percent = arguments[1].rsplit(" ", 1)
    share = float(percent.rstrip("%")) / 100
    one = colour(first, tokens=tokens, side=side)
    other = colour(arguments[2], tokens=tokens, side=side)
    red, green, blue = (a * share + b * (1 - share) for a, b in zip(one, other, strict=True))
    return red, green, blue


def _luminance(rgb: Colour) -> float:
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in rgb)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
