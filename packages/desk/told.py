"""What the codes in a list's rows say, read at once for the page that shows them."""

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any

from django.utils.translation import get_language


class Told:
    """What codes say, in the language of whoever read them; it does not change.

    A page of the desk serves many readers, so what it keeps may be of another list or language:
    what is not known here is asked for anew.
    """

    def __init__(
        self, tell: Callable[[Iterable[str]], Mapping[str, Any]], codes: Iterable[str] = ()
    ) -> None:
        """Ask for all codes at once; `tell` returns for each what it says."""
        self._tell = tell
        self._language = get_language() if codes else None
        self._known = tell(codes) if codes else MappingProxyType({})

    def __getitem__(self, code: str) -> Any:
        known = self._known.get(code) if self._language == get_language() else None
        return known or self._tell([code])[code]
