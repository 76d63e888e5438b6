"""Stripe, through its official package: hosted Checkout, saved methods, refunds, disputes, payouts.

`gateway` is the adapter, `client` the calls and whose turn it is when one fails, `wire` what is
read and written, `amounts` and `declines` Stripe's own rules. Written for API 2026-10-28.endive,
which stripe 16.1 pins; parameters as in the package's own types.
"""
