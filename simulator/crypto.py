"""The Miniserver's side of command encryption and of hashed credentials.

Source: Communicating with the Miniserver, "Command encryption" and "Acquiring tokens".
"""

import base64
import binascii
from functools import cache
import hashlib
import hmac
import secrets

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from .config import HashAlgorithm

_BLOCK = 16


class CryptoError(Exception):
    """Something could not be decrypted."""


class KeyPair:
    """The RSA key pair of the unit."""

    def __init__(self, private: rsa.RSAPrivateKey) -> None:
        """Take a private key."""
        self._private = private

    @classmethod
    def usual(cls) -> KeyPair:
        """Return the key pair of this process; making one takes a while."""
        return cls(_process_key())

    @classmethod
    def fresh(cls) -> KeyPair:
        """Return a new key pair."""
        return cls(_new_key())

    @property
    def odd_pem(self) -> str:
        """Return the public key as getPublicKey does.

        It is a SubjectPublicKeyInfo on one line under the label of a certificate.
        """
        der = self._private.public_key().public_bytes(
            serialization.Encoding.DER,
            serialization.PublicFormat.SubjectPublicKeyInfo,
        )
        body = base64.b64encode(der).decode()
        return f"-----BEGIN CERTIFICATE-----{body}-----END CERTIFICATE-----"

    def unwrap(self, wrapped: str) -> SessionKey:
        """Return the session key that a client encrypted with the public key."""
        try:
            plain = self._private.decrypt(
                base64.b64decode(wrapped, validate=True), padding.PKCS1v15()
            )
            key, _, iv = plain.decode("ascii").strip("\0").partition(":")
            return SessionKey(bytes.fromhex(key), bytes.fromhex(iv))
        except ValueError as err:
            raise CryptoError("not a session key") from err


def _new_key() -> rsa.RSAPrivateKey:
    """Return a new private key."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@cache
def _process_key() -> rsa.RSAPrivateKey:
    """Return one private key for the life of the process."""
    return _new_key()


class SessionKey:
    """AES-CBC with the key and the vector of one connection; padding is zeros."""

    def __init__(self, key: bytes, iv: bytes) -> None:
        """Take key and vector."""
        # 32 bytes by the book; some field clients send 16 and are served as well.
        if len(key) not in (16, 32) or len(iv) != _BLOCK:
            raise ValueError("wrong size of key or vector")
        self._key = key
        self._iv = iv

    def encrypt(self, text: str) -> str:
        """Return base64 of the encrypted text."""
        plain = text.encode()
        plain += bytes(-len(plain) % _BLOCK)
        encryptor = Cipher(algorithms.AES(self._key), modes.CBC(self._iv)).encryptor()
        return base64.b64encode(encryptor.update(plain) + encryptor.finalize()).decode()

    def decrypt(self, cipher: str) -> str:
        """Return the text up to the first NUL, whatever padding follows it."""
        try:
            raw = base64.b64decode(cipher)
            decryptor = Cipher(
                algorithms.AES(self._key), modes.CBC(self._iv)
            ).decryptor()
            plain = decryptor.update(raw) + decryptor.finalize()
            return plain.split(b"\0", 1)[0].decode()
        except (ValueError, binascii.Error) as err:
            raise CryptoError("not encrypted with this session key") from err


def one_time_key(algorithm: HashAlgorithm | None) -> str:
    """Return a fresh key as hex text."""
    return secrets.token_hex(32 if algorithm == "SHA256" else 20).upper()


def hashed(algorithm: HashAlgorithm | None, text: str) -> str:
    """Return the hash of a text in upper case hex."""
    name = (algorithm or "SHA1").lower()
    return hashlib.new(name, text.encode()).hexdigest().upper()


def keyed_hash(algorithm: HashAlgorithm | None, key: str, text: str) -> str:
    """Return the HMAC of a text in lower case hex; the key is hex text."""
    name = (algorithm or "SHA1").lower()
    return hmac.new(bytes.fromhex(key), text.encode(), name).hexdigest()


def same_hash(given: str, expected: str) -> bool:
    """Return whether two hex texts are equal, in any case."""
    return hmac.compare_digest(
        given.lower().encode("utf-8", "replace"), expected.lower().encode()
    )
