"""Property tests with the same examples every time, so that a failure is everybody's failure."""

from hypothesis import given, settings
from hypothesis import strategies as st

__all__ = ["given", "st"]

settings.register_profile("steady", derandomize=True, deadline=None, database=None)
settings.load_profile("steady")
