"""How PayPal signs. Apart from the adapter's check, so that each tests the other."""

import base64
import secrets
import zlib
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID, NameOID

NAME = "messageverificationcerts.sandbox.paypal.com"
A_DAY = timedelta(days=1)
PublicKey = rsa.RSAPublicKey | ec.EllipticCurvePublicKey


class Signer:
    """A root of our own, an authority it vouches for, and the certificate of that; made anew by
    each process. As at PayPal the certificate is served alone, and says where its issuer is.
    """

    def __init__(self, *, name: str = NAME, days: int = 3650, issuer_at: str = "") -> None:
        self._name, self._days, self._issuer_at = name, days, issuer_at
        self._root_key, self._issuer_key = (ec.generate_private_key(ec.SECP256R1()) for _ in "12")
        self._key = rsa.generate_private_key(65537, 2048)
        self.root = _authority("Root", self._root_key, self._root_key)
        self.issuer = _authority("Authority", self._issuer_key, self._root_key)
        self.path = f"/v1/notifications/certs/CERT-{secrets.token_hex(8)}"
        self.issuer_path = f"/AUTHORITY-{secrets.token_hex(4)}.crt"
        self.base = ""

    def write_root(self, path: str) -> None:
        """Let the shop know whom to trust."""
        Path(path).write_bytes(self.root.public_bytes(Encoding.PEM))

    @cached_property
    def served(self) -> dict[str, bytes]:
        """What is served without a token, by its path."""
        leaf = _leaf(
            self._key,
            self._issuer_key,
            self.issuer,
            name=self._name,
            days=self._days,
            issuer_at=self._issuer_at or self.base + self.issuer_path,
        )
        issuer = self.issuer.public_bytes(Encoding.DER)
        return {self.path: leaf.public_bytes(Encoding.PEM), self.issuer_path: issuer}

    def signed(self, body: bytes, webhook_id: str, at: float) -> dict[str, str]:
        """The headers of a webhook with `body`, sent for `webhook_id` at the unix time `at`."""
        transmission = secrets.token_hex(16)
        sent_at = datetime.fromtimestamp(int(at), tz=UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        message = f"{transmission}|{sent_at}|{webhook_id}|{zlib.crc32(body)}".encode()
        signature = self._key.sign(message, PKCS1v15(), SHA256())
        return {
            "Content-Type": "application/json",
            "PAYPAL-TRANSMISSION-ID": transmission,
            "PAYPAL-TRANSMISSION-TIME": sent_at,
            "PAYPAL-TRANSMISSION-SIG": base64.b64encode(signature).decode(),
            "PAYPAL-CERT-URL": self.base + self.path,
            "PAYPAL-AUTH-ALGO": "SHA256withRSA",
        }


def _authority(
    name: str, key: ec.EllipticCurvePrivateKey, root_key: ec.EllipticCurvePrivateKey
) -> x509.Certificate:
    issuer = _named("Root of the PayPal stand-in")
    subject = _named(f"{name} of the PayPal stand-in")
    made = _begun(subject, issuer, key.public_key(), days=3650)
    depth = 1 if key is root_key else 0
    made = made.add_extension(x509.BasicConstraints(ca=True, path_length=depth), critical=True)
    made = made.add_extension(_usage(signs_certificates=True), critical=True)
    above = x509.AuthorityKeyIdentifier.from_issuer_public_key(root_key.public_key())
    made = made.add_extension(above, critical=False)
    identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    return made.add_extension(identifier, critical=False).sign(root_key, SHA256())


def _leaf(
    key: rsa.RSAPrivateKey,
    issuer_key: ec.EllipticCurvePrivateKey,
    issuer: x509.Certificate,
    *,
    name: str,
    days: int,
    issuer_at: str,
) -> x509.Certificate:
    made = _begun(_named(name), issuer.subject, key.public_key(), days=days)
    above = x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key())
    server = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])
    constraints = x509.BasicConstraints(ca=False, path_length=None)
    address = x509.UniformResourceIdentifier(issuer_at)
    found_at = x509.AccessDescription(AuthorityInformationAccessOID.CA_ISSUERS, address)
    return (
        made.add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(constraints, critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(server, critical=False)
        .add_extension(above, critical=False)
        .add_extension(x509.AuthorityInformationAccess([found_at]), critical=False)
        .sign(issuer_key, SHA256())
    )


def _begun(
    subject: x509.Name, issuer: x509.Name, key: PublicKey, *, days: int
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        # Tests live in other years; what is too old or too young has certificates of its own.
        .not_valid_before(datetime(2020, 1, 1, tzinfo=UTC) if days > 0 else now - 30 * A_DAY)
        .not_valid_after(now + days * A_DAY)
    )


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )
