"""Finding out how a server's API names things, on an account that is thrown away afterwards.

`run` (steps.py) makes the steps, `Api` (api.py) asks and keeps what was said, keys.py guesses which
key is which, and `Draft` (draft.py) is the mapping that comes of it. Free of Django.
"""
