"""What a browser calls itself, as its owner would.

Every browser names older ones too ("Mozilla", "Safari"), so the first mark found in this order
counts (MDN, "Browser detection using the user agent").
"""

BROWSERS = {
    "Edg": "Edge",
    "OPR/": "Opera",
    "SamsungBrowser": "Samsung Internet",
    "Firefox/": "Firefox",
    "FxiOS": "Firefox",
    "Chrome/": "Chrome",
    "CriOS": "Chrome",
    "Safari/": "Safari",
}
SYSTEMS = {
    "iPhone": "iPhone",
    "iPad": "iPad",
    "Android": "Android",
    "Windows": "Windows",
    "CrOS": "ChromeOS",
    "Macintosh": "Mac",
    "Linux": "Linux",
}
UNKNOWN_CHARACTERS = 60


def name_of(user_agent: str) -> str:
    """Return browser and system, e.g. "Firefox, Windows"; of an unknown one its own words."""
    found = [
        next((name for mark, name in names.items() if mark in user_agent), "")
        for names in (BROWSERS, SYSTEMS)
    ]
    return ", ".join(filter(None, found)) or user_agent[:UNKNOWN_CHARACTERS] or "–"
