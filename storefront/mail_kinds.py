"""Every mail that leaves the shop: billing's and those about signing in."""

from billing import mail_kinds
from billing.mail_kinds import Kind
from storefront import letters

KINDS: dict[str, Kind] = {
    each.code: each
    for each in (*mail_kinds.KINDS, *sorted(letters.KINDS, key=lambda each: each.code))
}
