"""Certificates, keys and who answers at an address."""

from typing import Any

import pytest

from .harness import agree, config, house
from custom_components.loxone_wallbox.miniserver import (
    discover,
    identify,
)
from custom_components.loxone_wallbox.miniserver.errors import (
    CertificateError,
    IdentityError,
    MiniserverConnectionError,
)

pytestmark = pytest.mark.usefixtures("socket_enabled")


async def test_wrong_authority() -> None:
    """A certificate that nobody trusts is refused, and nothing is said over it."""
    async with house() as home:
        client = home.client(address={"tls": True})
        with pytest.raises(CertificateError):
            await client.connect()
        assert home.logins_tried == 0


async def test_wrong_name() -> None:
    """A certificate of another Miniserver is refused."""
    async with house() as home, house(config(serial="504F94A0FFFF")) as other:
        client = home.client(address={"tls": True}, certificate=other.trust())
        with pytest.raises(CertificateError):
            await client.connect()
        assert home.logins_tried == 0


async def test_verification_off() -> None:
    """The owner may switch the verification off."""
    async with house() as home:
        client = await home.connected(address={"tls": True, "verify": False})
        await agree(client, home.sim)


async def test_host_name() -> None:
    """A host name is tried under Loxone's name first and under its own then."""
    async with house() as home:
        name = home.sim.tls_name
        client = home.client(
            address={"tls": True, "host": name}, certificate=home.trust()
        )
        # Nobody resolves it here, and that is our own error.
        with pytest.raises(MiniserverConnectionError):
            await client.connect()
        client = await home.connected(
            address={"tls": True, "host": "localhost"}, certificate=home.trust()
        )
        assert client.connected


async def test_host_name_wrong_certificate() -> None:
    """When neither name fits, the certificate is refused."""
    async with house() as home:
        client = home.client(address={"tls": True, "host": "localhost"})
        with pytest.raises(CertificateError):
            await client.connect()


async def test_tls_at_a_plain_port() -> None:
    """A port without TLS is not a matter of the certificate."""
    async with house() as home:
        client = home.client(address={"tls": True, "tls_port": home.sim.port})
        with pytest.raises(MiniserverConnectionError) as raised:
            await client.connect()
        assert not isinstance(raised.value, CertificateError)


async def test_new_key_pair(monkeypatch: pytest.MonkeyPatch) -> None:
    """A refused key exchange is followed by one more with a fresh public key."""
    async with house() as home:
        unit = home.sim.unit
        right = unit.keys

        class Changing:
            """Decrypts nothing the first time."""

            tries = 0
            odd_pem = right.odd_pem

            def unwrap(self, wrapped: str) -> Any:
                """Refuse once."""
                Changing.tries += 1
                return right.unwrap(wrapped if Changing.tries > 1 else "AAAA")

        monkeypatch.setattr(unit, "keys", Changing())
        assert (await home.connected()).connected
        assert Changing.tries == 2
        monkeypatch.setattr(Changing, "tries", -100)
        with pytest.raises(MiniserverConnectionError, match="key exchange"):
            await home.client().connect()
        assert Changing.tries == -98


async def test_another_miniserver() -> None:
    """Another serial number than the expected one is refused before the login."""
    async with house() as home:
        client = home.client(expected_serial="504F94A0FFFF")
        with pytest.raises(IdentityError) as raised:
            await client.connect()
        assert raised.value.found == "504F94A00001"
        assert home.logins_tried == 0
        assert (await home.connected(expected_serial="504F94A00001")).connected


async def test_identify() -> None:
    """Who is there is told without a login."""
    async with house(config(generation=1)) as home:
        identity = await identify(home.session, home.address())
        assert (identity.serial, identity.firmware) == ("504F94A00001", "16.1.11.6")
        assert not identity.tls_usable
    async with house() as home:
        identity = await identify(
            home.session, home.address(tls=True), certificate=False
        )
        assert identity.tls_usable
        with pytest.raises(CertificateError):
            await identify(home.session, home.address(tls=True))


async def test_discovered() -> None:
    """The simulated Miniserver is found."""
    async with house(config(discovery_port=0)) as home:
        port = home.sim.discovery_port
        assert port is not None
        found = await discover(
            ["127.0.0.1"],
            port=port,
            answer_port=0,
            local_address="127.0.0.1",
            listen_s=0.1,
        )
        assert [unit.serial for unit in found] == ["504F94A00001"]
        assert (found[0].port, found[0].name) == (home.sim.port, "Home")
        assert found[0].firmware == "16.1.11.6"
