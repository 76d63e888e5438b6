"""How PayPal signs. Apart from the adapter's check, so that each tests the other."""

import base64
import secrets
import zlib
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

NAME = "messageverificationcerts.sandbox.paypal.com"
A_DAY = timedelta(days=1)


class Signer:
    """A root of our own, and a certificate that it vouches for; made anew by each process."""

    def __init__(self, *, name: str = NAME, days: int = 3650) -> None:
        self._root_key = rsa.generate_private_key(65537, 2048)
        self._key = rsa.generate_private_key(65537, 2048)
        self.root = _root(self._root_key)
        self.leaf = _leaf(self._key, self._root_key, self.root, name=name, days=days)
        self.path = f"/v1/notifications/certs/CERT-{secrets.token_hex(8)}"
        self.base = ""

    def write_root(self, path: str) -> None:
        """Let the shop know whom to trust."""
        Path(path).write_bytes(self.root.public_bytes(Encoding.PEM))

    def chain(self) -> bytes:
        """What is served at the certificate's address."""
        return self.leaf.public_bytes(Encoding.PEM)

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


def _root(key: rsa.RSAPrivateKey) -> x509.Certificate:
    name = _named("Root of the PayPal stand-in")
    made = _begun(name, name, key.public_key(), days=3650)
    made = made.add_extension(x509.BasicConstraints(ca=True, path_length=1), critical=True)
    made = made.add_extension(_usage(signs_certificates=True), critical=True)
    identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    return made.add_extension(identifier, critical=False).sign(key, SHA256())


def _leaf(
    key: rsa.RSAPrivateKey,
    root_key: rsa.RSAPrivateKey,
    root: x509.Certificate,
    *,
    name: str,
    days: int,
) -> x509.Certificate:
    made = _begun(_named(name), root.subject, key.public_key(), days=days)
    issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(root_key.public_key())
    server = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])
    constraints = x509.BasicConstraints(ca=False, path_length=None)
    return (
        made.add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(constraints, critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(server, critical=False)
        .add_extension(issuer, critical=False)
        .sign(root_key, SHA256())
    )


def _begun(
    subject: x509.Name, issuer: x509.Name, key: rsa.RSAPublicKey, *, days: int
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
