"""Hashes and ciphers of the Miniserver, without any I/O.

Source of every parameter: Loxone, "Communicating with the Miniserver", tables of the
command encryption and the token flow.
"""

import base64
from collections.abc import Callable
import hashlib
import hmac
import secrets
from typing import Literal
from urllib.parse import quote

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.serialization import load_der_public_key

from .errors import ProtocolError

type HashAlgorithm = Literal["SHA1", "SHA256"]

AES_KEY_BYTES = 32
AES_BLOCK_BYTES = 16
SALT_BYTES = 16
# Loxone's own client changes the salt once an hour.
SALT_LIFETIME_S = 3600.0


def hash_algorithm(name: object) -> HashAlgorithm:
    """Return the algorithm a Miniserver names; without a name it is SHA1.

    Raises `ProtocolError` for a name that is not known.
    """
    if name is None or name == "":
        return "SHA1"
    if name == "SHA1":
        return "SHA1"
    if name == "SHA256":
        return "SHA256"
    raise ProtocolError(f"Unknown hash algorithm {name!r}")


def password_hash(password: str, salt: str, algorithm: HashAlgorithm) -> str:
    """Return the upper-case hexadecimal hash of a password with the user's salt.

    The salt is used as text, although it looks like hexadecimal digits.
    """
    digest = hashlib.new(algorithm.lower(), f"{password}:{salt}".encode())
    return digest.hexdigest().upper()


def keyed_hash(text: str, key: str, algorithm: HashAlgorithm) -> str:
    """Return the HMAC of a text; the key is given as hexadecimal digits.

    Raises `ProtocolError` when the Miniserver's key is not hexadecimal.
    """
    try:
        raw = bytes.fromhex(key)
    except ValueError as err:
        raise ProtocolError("The one-time key is not hexadecimal") from err
    return hmac.new(raw, text.encode(), algorithm.lower()).hexdigest()


def parse_public_key(pem: str) -> rsa.RSAPublicKey:
    """Read the key of `jdev/sys/getPublicKey`.

    It is labelled a certificate and comes without line breaks, but holds a
    SubjectPublicKeyInfo. Raises `ProtocolError` for anything else.
    """
    body = "".join(
        line for line in pem.replace("-----", "\n").split("\n") if " " not in line
    )
    try:
        key = load_der_public_key(base64.b64decode("".join(body.split())))
    except (ValueError, TypeError, UnsupportedAlgorithm) as err:
        raise ProtocolError("The public key cannot be read") from err
    if not isinstance(key, rsa.RSAPublicKey):
        raise ProtocolError("The public key is not an RSA key")
    return key


class CommandCipher:
    """The command encryption of one connection.

    Key and initialisation vector are drawn once a connection; the salt changes every
    hour. The clock gives seconds and only has to run evenly.
    """

    def __init__(self, monotonic: Callable[[], float]) -> None:
        """Draw the connection's secrets."""
        self._monotonic = monotonic
        self._key = secrets.token_bytes(AES_KEY_BYTES)
        self._vector = secrets.token_bytes(AES_BLOCK_BYTES)
        self._salt = secrets.token_hex(SALT_BYTES)
        self._salted_at = monotonic()

    def session_key(self, public_key: rsa.RSAPublicKey) -> str:
        """Return the encrypted session key for `jdev/sys/keyexchange/`, in base64.

        Raises `ProtocolError` when the public key is too short for it.
        """
        plain = f"{self._key.hex()}:{self._vector.hex()}".encode()
        try:
            sealed = public_key.encrypt(plain, padding.PKCS1v15())
        except ValueError as err:
            raise ProtocolError("The public key cannot be used") from err
        return base64.b64encode(sealed).decode()

    def wrap(self, command: str, *, secret_answer: bool = False) -> str:
        """Return the command encrypted; a secret answer comes back encrypted too."""
        now = self._monotonic()
        if now - self._salted_at > SALT_LIFETIME_S:
            old, self._salt = self._salt, secrets.token_hex(SALT_BYTES)
            self._salted_at = now
            plain = f"nextSalt/{old}/{self._salt}/{command}"
        else:
            plain = f"salt/{self._salt}/{command}"
        cipher = quote(base64.b64encode(self._encrypt(plain.encode())), safe="")
        return f"jdev/sys/{'fenc' if secret_answer else 'enc'}/{cipher}"

    def unwrap(self, answer: str) -> str:
        """Return the plain text of an encrypted answer.

        Raises `ProtocolError` when it is not what the Miniserver would send.
        """
        try:
            data = base64.b64decode("".join(answer.split()), validate=True)
        except ValueError as err:
            raise ProtocolError("An encrypted answer is not base64") from err
        if not data or len(data) % AES_BLOCK_BYTES:
            raise ProtocolError("An encrypted answer has a broken length")
        decryptor = self._cipher().decryptor()
        plain = decryptor.update(data) + decryptor.finalize()
        # Whatever the padding of the other side looks like, it starts with a zero.
        return plain.partition(b"\0")[0].decode("utf-8", errors="replace")

    def _encrypt(self, plain: bytes) -> bytes:
        """Encrypt, padded with zeros to the block only, as Loxone's client does."""
        padded = plain + b"\0" * (-len(plain) % AES_BLOCK_BYTES)
        encryptor = self._cipher().encryptor()
        return encryptor.update(padded) + encryptor.finalize()

    def _cipher(self) -> Cipher[modes.CBC]:
        """Return AES-256-CBC with the connection's secrets."""
        return Cipher(algorithms.AES(self._key), modes.CBC(self._vector))
