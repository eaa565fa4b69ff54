"""A certificate authority and a server certificate, made at start."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
import ssl
import tempfile

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

# Clients judge validity by their own clock, which need not be the simulator's.
_BEFORE = timedelta(days=365 * 5)
_AFTER = timedelta(days=365 * 10)


class Certificates:
    """What the HTTPS face of a second-generation Miniserver shows."""

    def __init__(self, host_name: str, now: float) -> None:
        """Make everything for one host name; no other name and no IP is valid."""
        self._now = datetime.fromtimestamp(now, UTC)
        authority_key = ec.generate_private_key(ec.SECP256R1())
        authority_name = _name("Simulated Loxone Root CA")
        self._authority = (
            self._builder(authority_name, authority_name, authority_key)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_key_usage(authority=True), critical=True)
            .sign(authority_key, hashes.SHA256())
        )
        self._key = ec.generate_private_key(ec.SECP256R1())
        issuer_id = x509.AuthorityKeyIdentifier.from_issuer_public_key(
            authority_key.public_key()
        )
        self._leaf = (
            self._builder(_name(host_name), authority_name, self._key)
            .add_extension(
                x509.BasicConstraints(ca=False, path_length=None), critical=True
            )
            .add_extension(
                x509.SubjectAlternativeName([x509.DNSName(host_name)]), critical=False
            )
            .add_extension(_key_usage(authority=False), critical=True)
            .add_extension(
                x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False
            )
            .add_extension(issuer_id, critical=False)
            .sign(authority_key, hashes.SHA256())
        )

    @property
    def authority_pem(self) -> str:
        """Return the certificate a client has to trust."""
        return _pem(self._authority)

    @property
    def chain_pem(self) -> str:
        """Return the chain as getcertificate does: the root first, the unit last."""
        return _pem(self._authority) + _pem(self._leaf)

    def server_context(self) -> ssl.SSLContext:
        """Return the TLS settings of the server."""
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        key = self._key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        # The ssl module reads certificates from files only.
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "server.pem")
            path.write_bytes(key + _pem(self._leaf).encode())
            context.load_cert_chain(path)
        return context

    def _builder(
        self, subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey
    ) -> x509.CertificateBuilder:
        """Return the part that both certificates share."""
        public = key.public_key()
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer)
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(self._now - _BEFORE)
            .not_valid_after(self._now + _AFTER)
            .add_extension(
                x509.SubjectKeyIdentifier.from_public_key(public), critical=False
            )
        )


def _name(common: str) -> x509.Name:
    """Return a name with nothing but a common name (at most 64 characters)."""
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common[:64])])


def _key_usage(*, authority: bool) -> x509.KeyUsage:
    """Return what a key may be used for."""
    return x509.KeyUsage(
        digital_signature=not authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=authority,
        crl_sign=authority,
        encipher_only=False,
        decipher_only=False,
    )


def _pem(certificate: x509.Certificate) -> str:
    """Return a certificate as text."""
    return certificate.public_bytes(serialization.Encoding.PEM).decode()
