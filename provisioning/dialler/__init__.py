"""The dialler as the rest of the product sees it: a protocol, plain values, errors that say what is
known.

`base` is all a caller needs; `mapping` says how one server names things; `http` is the one place
that talks.
"""
