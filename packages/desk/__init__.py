"""The staff's desk: how rows are shown, and deeds behind a page that says what will happen."""


class Impossible(Exception):
    """What staff asked for cannot be done. The text is for them; nothing was changed."""
