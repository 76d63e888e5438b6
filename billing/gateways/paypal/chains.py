"""Whether a certificate is PayPal's: a chain to a public root, for PayPal's own name.

PayPal's own packages bring the certificate between leaf and root along, and want nothing but the
leaf in what they fetch (PayPal-Python-SDK notifications.py, PayPal-Java-SDK SSLUtil; read November
2026). So where no chain is served, the issuer's is had from the address in the leaf itself
(RFC 5280, 4.2.2.1), as browsers do; it is believed for its signature, so plain http is enough.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path

import requests.utils
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.x509.oid import AuthorityInformationAccessOID as Access
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError

from billing.gateways.base import BadWebhook

ISSUER = re.compile(r"(https?://[a-z0-9.:-]+)/[A-Za-z0-9_.-]{1,100}")
# Between a leaf and its root stands one, seldom two.
MOST_BETWEEN = 2


@dataclass(frozen=True)
class Trust:
    """From which origins a certificate may come, for which names, which roots vouch for it, and
    from which origins what stands between them may be had.
    """

    origins: frozenset[str]
    names: tuple[str, ...]
    roots: str
    issuers: frozenset[str] = frozenset()


def checked(
    content: bytes, trust: Trust, *, at: datetime, fetch: Callable[[str], bytes]
) -> x509.Certificate:
    """Return the leaf of what was served if it is to be believed at that instant, as by a browser:
    issuers, validity, name, purpose.

    `fetch` is asked for issuers that were not served, at allowed addresses alone. Raises
    BadWebhook, and what `fetch` raises.
    """
    try:
        leaf, *between = x509.load_pem_x509_certificates(content)
        while not _is_chain(leaf, between, trust, at=at):
            address = _issuer_of(between[-1] if between else leaf)
            if len(between) >= MOST_BETWEEN or not _is_allowed(address, trust):
                raise BadWebhook("certificate")
            between.append(x509.load_der_x509_certificate(fetch(address)))
    except ValueError as error:
        raise BadWebhook("certificate") from error
    return leaf


def forget() -> None:
    """Read the roots anew from now on."""
    _roots.cache_clear()


def _is_chain(
    leaf: x509.Certificate, between: list[x509.Certificate], trust: Trust, *, at: datetime
) -> bool:
    if not isinstance(leaf.public_key(), RSAPublicKey):
        return False
    policy = PolicyBuilder().store(_roots(trust.roots)).time(at.astimezone(UTC))
    return any(_verifies(policy, name, leaf, between) for name in trust.names)


def _verifies(
    policy: PolicyBuilder, name: str, leaf: x509.Certificate, between: list[x509.Certificate]
) -> bool:
    try:
        policy.build_server_verifier(x509.DNSName(name)).verify(leaf, between)
    except (VerificationError, x509.UnsupportedGeneralNameType):
        return False
    return True


def _issuer_of(certificate: x509.Certificate) -> str:
    """The address of its issuer's certificate, '' where it names none."""
    kind = x509.AuthorityInformationAccess
    try:
        named = certificate.extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return ""
    issuers = [each for each in named if each.access_method == Access.CA_ISSUERS]
    return next((str(each.access_location.value) for each in issuers), "")


def _is_allowed(address: str, trust: Trust) -> bool:
    found = ISSUER.fullmatch(address)
    return found is not None and found[1] in trust.issuers


@lru_cache(maxsize=4)
def _roots(path: str) -> Store:
    bundle = path or requests.utils.DEFAULT_CA_BUNDLE_PATH
    return Store(x509.load_pem_x509_certificates(Path(bundle).read_bytes()))
