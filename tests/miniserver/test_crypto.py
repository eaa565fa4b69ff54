"""Hashes and ciphers against vectors computed with other tools."""

import base64
from contextlib import suppress
import hashlib
import hmac
from urllib.parse import unquote

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given, strategies as st
import pytest

from custom_components.loxone_wallbox.miniserver.crypto import (
    SALT_LIFETIME_S,
    CommandCipher,
    hash_algorithm,
    keyed_hash,
    parse_public_key,
    password_hash,
)
from custom_components.loxone_wallbox.miniserver.errors import ProtocolError

# printf 'Wallbox-1234:31306632' | openssl dgst -sha1 (and -sha256), upper case
PASSWORD_SHA1 = "6DE56046465B1B4EC79344B318B52F703C4CA065"
PASSWORD_SHA256 = "51A18C6634909E63E59101B81760CBC4110B277A866DA1D90640C880D35AE476"
KEY = "41434633443134324337383441373035453333424344364133373431333430"
# printf 'admin:<the hash above>' | openssl dgst -sha1 -mac HMAC -macopt hexkey:<KEY>
PROOF_SHA1 = "b3d467aaee003c6e8985c512f1aa0840f1a5854a"
PROOF_SHA256 = "f24c5eafc6ac0a766c004efa00c64ad2183b0e63fc4c90d1a7ac4b4b9ed921c9"
# printf 'salt/ab12/jdev/sps/io/x/allow/on' padded with zeros | openssl enc -aes-256-cbc
# -nopad -K 00..1f -iv 20..2f
AES_KEY = bytes(range(32))
AES_VECTOR = bytes(range(32, 48))
CIPHER_TEXT = "2YbMPdGLMzOHyH%2FYHH8Uiuxtgw9WKURzGJXKQr8nrpE%3D"


@pytest.fixture(scope="module")
def private_key() -> rsa.RSAPrivateKey:
    """Return the key pair of a Miniserver."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def pem_of(key: rsa.RSAPublicKey | ec.EllipticCurvePublicKey, *, fold: int = 0) -> str:
    """Return a public key as a Miniserver gives it."""
    der = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    body = base64.b64encode(der).decode()
    if fold:
        body = "\r\n".join(
            body[start : start + fold] for start in range(0, len(body), fold)
        )
    return f"-----BEGIN CERTIFICATE-----{body}-----END CERTIFICATE-----"


def make_cipher(seconds: list[float]) -> CommandCipher:
    """Return a cipher with known secrets and a clock of ours."""
    cipher = CommandCipher(lambda: seconds[0])
    cipher._key, cipher._vector, cipher._salt = AES_KEY, AES_VECTOR, "ab12"
    return cipher


def decrypt(command: str) -> str:
    """Return what a Miniserver reads of an encrypted command."""
    data = base64.b64decode(unquote(command.split("/", 3)[3]))
    decryptor = Cipher(algorithms.AES(AES_KEY), modes.CBC(AES_VECTOR)).decryptor()
    return (decryptor.update(data) + decryptor.finalize()).rstrip(b"\0").decode()


def encrypt(plain: bytes) -> str:
    """Return an answer as a Miniserver encrypts it."""
    padded = plain + bytes(-len(plain) % 16)
    encryptor = Cipher(algorithms.AES(AES_KEY), modes.CBC(AES_VECTOR)).encryptor()
    return base64.b64encode(encryptor.update(padded) + encryptor.finalize()).decode()


def test_password_hash() -> None:
    """The salt is used as text."""
    assert password_hash("Wallbox-1234", "31306632", "SHA1") == PASSWORD_SHA1
    assert password_hash("Wallbox-1234", "31306632", "SHA256") == PASSWORD_SHA256


def test_keyed_hash() -> None:
    """The key is used as the bytes its digits mean."""
    assert keyed_hash(f"admin:{PASSWORD_SHA1}", KEY, "SHA1") == PROOF_SHA1
    assert keyed_hash(f"admin:{PASSWORD_SHA256}", KEY, "SHA256") == PROOF_SHA256


@given(st.text(st.characters(exclude_categories=["Cs"])), st.binary(max_size=40))
def test_keyed_hash_agrees(text: str, key: bytes) -> None:
    """The standard library says the same."""
    expected = hmac.digest(key, text.encode(), hashlib.sha256).hex()
    assert keyed_hash(text, key.hex(), "SHA256") == expected


@pytest.mark.parametrize("key", ["xyz", "abc", "é", "0x12"])
def test_keyed_hash_refused(key: str) -> None:
    """A key that is not hexadecimal is refused."""
    with pytest.raises(ProtocolError):
        keyed_hash("x", key, "SHA1")


def test_hash_algorithm() -> None:
    """No name means SHA1; an unknown one is refused."""
    assert hash_algorithm(None) == hash_algorithm("") == "SHA1"
    assert hash_algorithm("SHA1") == "SHA1"
    assert hash_algorithm("SHA256") == "SHA256"
    for name in ("MD5", 1, ["SHA1"]):
        with pytest.raises(ProtocolError):
            hash_algorithm(name)


@pytest.mark.parametrize("fold", [0, 64])
def test_public_key(private_key: rsa.RSAPrivateKey, fold: int) -> None:
    """A key labelled a certificate is read, on one line or on many."""
    key = parse_public_key(pem_of(private_key.public_key(), fold=fold))
    assert key.public_numbers() == private_key.public_key().public_numbers()


def test_public_key_label(private_key: rsa.RSAPrivateKey) -> None:
    """The right label does as well, and so does none."""
    text = pem_of(private_key.public_key())
    for other in (text.replace("CERTIFICATE", "PUBLIC KEY"), text[27:-25]):
        assert parse_public_key(other).key_size == 2048


def test_public_key_refused(private_key: rsa.RSAPrivateKey) -> None:
    """Anything else is refused."""
    for text in (
        "",
        "-----BEGIN CERTIFICATE-----",
        "AAAA",
        "é",
        "\ud800",
        "A",
        pem_of(private_key.public_key())[:-60],
        pem_of(ec.generate_private_key(ec.SECP256R1()).public_key()),
    ):
        with pytest.raises(ProtocolError):
            parse_public_key(text)


def test_public_key_exotic() -> None:
    """A key of a kind that cryptography does not know is refused."""
    der = bytearray(
        ed25519.Ed25519PrivateKey.generate()
        .public_key()
        .public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    )
    der[8] = 0x7F
    with pytest.raises(ProtocolError):
        parse_public_key(base64.b64encode(der).decode())


@given(st.text(max_size=120) | st.binary().map(lambda b: base64.b64encode(b).decode()))
def test_public_key_arbitrary(text: str) -> None:
    """Any text is a key or refused."""
    with suppress(ProtocolError):
        parse_public_key(text)


def test_session_key(private_key: rsa.RSAPrivateKey) -> None:
    """The session key is lower-case hexadecimal text, key and vector."""
    sealed = make_cipher([0.0]).session_key(private_key.public_key())
    plain = private_key.decrypt(base64.b64decode(sealed), padding.PKCS1v15())
    assert plain.decode() == f"{AES_KEY.hex()}:{AES_VECTOR.hex()}"


def test_session_key_too_long() -> None:
    """A key too short for the session key is a fault of the Miniserver's."""
    numbers = rsa.RSAPublicNumbers(e=65537, n=(1 << 511) | (1 << 200) | 1)
    try:
        key = numbers.public_key()
    except ValueError:
        pytest.skip("cryptography does not take such a key at all")
    with pytest.raises(ProtocolError):
        make_cipher([0.0]).session_key(key)


def test_known_cipher_text() -> None:
    """A command is encrypted as openssl does it, and percent-encoded."""
    wrapped = make_cipher([0.0]).wrap("jdev/sps/io/x/allow/on")
    assert wrapped == f"jdev/sys/enc/{CIPHER_TEXT}"


def test_secret_answer() -> None:
    """A secret answer is asked for by another command."""
    wrapped = make_cipher([0.0]).wrap("jdev/sys/getkey", secret_answer=True)
    assert wrapped.startswith("jdev/sys/fenc/")
    assert decrypt(wrapped) == "salt/ab12/jdev/sys/getkey"


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")))
def test_wrap_round_trip(command: str) -> None:
    """Every command arrives, and its cipher is one part of a path."""
    wrapped = make_cipher([0.0]).wrap(command)
    assert wrapped.count("/") == 3
    assert decrypt(wrapped) == f"salt/ab12/{command}"


def test_salt_rotates() -> None:
    """The salt changes after an hour, naming the old one, and not before."""
    seconds = [0.0]
    cipher = make_cipher(seconds)
    seconds[0] = SALT_LIFETIME_S
    assert decrypt(cipher.wrap("x")) == "salt/ab12/x"
    seconds[0] += 1
    word, old, new, command = decrypt(cipher.wrap("x")).split("/")
    assert (word, old, command) == ("nextSalt", "ab12", "x")
    assert new != old
    assert decrypt(cipher.wrap("y")) == f"salt/{new}/y"


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")))
def test_unwrap(text: str) -> None:
    """An encrypted answer is read, also with line feeds in it."""
    sealed = encrypt(text.encode() or bytes(16))
    assert make_cipher([0.0]).unwrap(sealed[:20] + "\r\n" + sealed[20:]) == text


def test_unwrap_foreign_padding() -> None:
    """Whatever follows the first zero is padding."""
    assert make_cipher([0.0]).unwrap(encrypt(b"abc\0\x0c\x0c\x0c")) == "abc"


@given(st.text(max_size=100) | st.binary().map(lambda b: base64.b64encode(b).decode()))
def test_unwrap_arbitrary(text: str) -> None:
    """Any text is an answer or refused."""
    with suppress(ProtocolError):
        make_cipher([0.0]).unwrap(text)


def test_secrets_are_drawn() -> None:
    """No two connections share a secret."""
    one, other = (CommandCipher(lambda: 0.0) for _ in range(2))
    assert (one._key, one._vector, one._salt) != (
        other._key,
        other._vector,
        other._salt,
    )
    assert (len(one._key), len(one._vector)) == (32, 16)
