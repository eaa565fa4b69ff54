"""Logging in to both generations, old and new firmware, right and wrong."""

from typing import Any

import pytest

from .harness import PASSWORD, agree, config, house, only, until
from custom_components.loxone_wallbox.miniserver import (
    identify,
)
from custom_components.loxone_wallbox.miniserver.errors import (
    AuthenticationError,
    FirmwareTooOldError,
    LockedOutError,
    MiniserverStartingError,
    MissingRightError,
    NoSlotError,
    UserDisabledError,
)
from simulator import Right

pytestmark = pytest.mark.usefixtures("socket_enabled")


@pytest.mark.parametrize("firmware", ["10.4.0.1", "11.1.9.9", "12.2.0.1", "16.1.11.6"])
@pytest.mark.parametrize("algorithm", ["SHA1", "SHA256", None])
async def test_generation_1(firmware: str, algorithm: Any) -> None:
    """Over ws the commands are encrypted, with every hash algorithm."""
    users = only(hash_alg=algorithm)
    async with house(config(generation=1, firmware=firmware, users=users)) as home:
        client = await home.connected()
        assert client.connected
        assert client.identity.serial == client.structure.serial == "504F94A00001"
        assert client.token is not None
        assert client.token.hash_algorithm == (algorithm or "SHA1")
        await agree(client, home.sim)
        await client.allow(home.box, False)
        await until(lambda: client.wallbox(home.box).allowed is False)
        command = home.sim.commands[-1]
        assert (command.encrypted, command.tls, command.code) == (True, False, 200)


async def test_firmware_without_hash_name() -> None:
    """Before 10.4 no algorithm is named, and SHA1 is meant."""
    settings = config(generation=1, firmware="10.2.3.4", users=only(hash_alg=None))
    async with house(settings) as home:
        client = await home.connected()
        assert client.token is not None
        assert client.token.hash_algorithm == "SHA1"


@pytest.mark.parametrize("algorithm", ["SHA1", "SHA256"])
@pytest.mark.parametrize("firmware", ["11.2.10.22", "17.1.7.27"])
async def test_generation_2(algorithm: Any, firmware: str) -> None:
    """Over wss the certificate is verified and the commands go in clear."""
    settings = config(users=only(hash_alg=algorithm), firmware=firmware)
    async with house(settings) as home:
        client = await home.connected(address={"tls": True}, certificate=home.trust())
        await agree(client, home.sim)
        await client.set_manual_limit(home.box, 6.0)
        await until(lambda: client.wallbox(home.box).limit_kw == 6.0)
        command = home.sim.commands[-1]
        assert (command.encrypted, command.tls) == (False, True)
        assert home.sim.clients[0].caller.tls


@pytest.mark.parametrize(
    ("firmware", "tls", "minimum"),
    [
        ("9.1.10.30", False, "10.2"),
        ("10.1.12.5", False, "10.2"),
        ("11.2.10.21", True, "11.2.10.22"),
    ],
)
async def test_old_firmware(firmware: str, tls: bool, minimum: str) -> None:
    """Firmware that lacks what is needed is named before a login is tried."""
    async with house(config(firmware=firmware)) as home:
        client = home.client(address={"tls": tls}, certificate=home.trust())
        with pytest.raises(FirmwareTooOldError) as raised:
            await client.connect()
        assert (raised.value.version, raised.value.minimum) == (firmware, minimum)
        assert home.logins_tried == 0


async def test_estimated_headers() -> None:
    """Estimates before every message change nothing, whichever bit says so."""
    for mask in (0x80, 0x01):
        settings = config(estimated_headers=True, estimated_mask=mask)
        async with house(settings) as home:
            client = await home.connected()
            await agree(client, home.sim)
            await client.allow(home.box, False)


async def test_masked_echo() -> None:
    """Nothing is read out of the echo of a command."""
    async with house(config(mask_hashes=True)) as home:
        assert (await home.connected()).connected


@pytest.mark.parametrize("tls", [False, True])
async def test_wrong_password(tls: bool) -> None:
    """A wrong password is tried once."""
    async with house() as home:
        client = home.client(
            address={"tls": tls},
            certificate=home.trust(),
            credentials={"password": "wrong"},
        )
        with pytest.raises(AuthenticationError):
            await client.connect()
        assert home.logins_tried == 1
        await until(lambda: not home.sim.clients)


async def test_unknown_user() -> None:
    """An unknown user is refused like a wrong password."""
    async with house() as home:
        client = home.client(credentials={"username": "Nobody / ?ü"})
        with pytest.raises(AuthenticationError):
            await client.connect()
        assert home.logins_tried == 1


async def test_odd_name_and_password() -> None:
    """Names and passwords may hold anything, also what is not Latin-1."""
    user = {"name": "Jürgen / 東京 ?&%", "password": "pä:ß/東京€"}
    async with house(config(users=only(**user))) as home:
        client = await home.connected(
            credentials={"username": user["name"], "password": user["password"]}
        )
        await client.allow(home.box, False)
        await client.close()
        home.listener.tokens.clear()
        again = await home.connected(
            credentials={"username": user["name"], "token": client.token}
        )
        assert again.connected
        assert home.count("got a token for") == 1


async def test_disabled_user() -> None:
    """A disabled user is told apart and not tried again."""
    async with house(config(users=only(disabled=True))) as home:
        client = home.client()
        with pytest.raises(UserDisabledError):
            await client.connect()


async def test_web_token() -> None:
    """A user without the right to an app token works with one for hours."""
    async with house(config(users=only(rights=int(Right.WEB)))) as home:
        client = await home.connected()
        assert client.token is not None
        assert client.token.rights == 2
        assert 80_000 < client.token.valid_until - home.sim.clock.time() < 90_000


async def test_no_right_at_all() -> None:
    """A user without any token is told so."""
    async with house(config(users=only(rights=int(Right.CONFIG)))) as home:
        with pytest.raises(MissingRightError):
            await home.client().connect()


async def test_weak_password() -> None:
    """The Miniserver's word that the password is weak is passed on."""
    async with house(config(users=only(password="short"))) as home:
        client = await home.connected(credentials={"password": "short"})
        assert client.token is not None
        assert client.token.unsecure_password


async def test_one_client_id() -> None:
    """However often it connects, one installation is one client."""
    async with house() as home:
        for _ in range(3):
            await (await home.connected(start=False)).close()
        assert {token.client for token in home.sim.unit.accounts.tokens} == {
            "098802e1-02b4-603c-ffffeee000d80cfd"
        }


async def test_lock_out() -> None:
    """A block is noticed over HTTP, with its end, and over the websocket."""
    async with house(config(lockout_after=2)) as home:
        for _ in range(2):
            client = home.client(credentials={"password": "wrong"})
            with pytest.raises(AuthenticationError):
                await client.connect()
        with pytest.raises(LockedOutError) as raised:
            await home.client().connect()
        assert raised.value.remaining is not None
        assert 290 < raised.value.remaining <= 301
        assert home.logins_tried == 2
        with pytest.raises(LockedOutError):
            await identify(home.session, home.address())


async def test_lock_out_while_connecting(monkeypatch: pytest.MonkeyPatch) -> None:
    """A block that begins after the first question is told by the close."""
    async with house(config(generation=1)) as home:
        accounts = home.sim.unit.accounts
        waits = iter([0, 0])
        monkeypatch.setattr(
            accounts, "remaining_block", lambda _address: next(waits, 120)
        )
        with pytest.raises(LockedOutError) as raised:
            await home.client().connect()
        assert raised.value.remaining == 120


async def test_starting() -> None:
    """A Miniserver that boots says so."""
    async with house() as home:
        home.sim.fault("booting")
        with pytest.raises(MiniserverStartingError):
            await home.client().connect()


@pytest.mark.parametrize("at", ["open", "enable"])
async def test_no_slot(at: str) -> None:
    """A full house says so, at once or when the states are asked for."""
    async with house() as home:
        home.sim.fault("no_slot", at=at)
        with pytest.raises(NoSlotError):
            await home.client().connect()
        await until(lambda: not home.sim.clients)


async def test_many_clients() -> None:
    """The last place is taken, the one after it is refused."""
    async with house(config(max_clients=2)) as home:
        await home.connected()
        await home.connected()
        with pytest.raises(NoSlotError):
            await home.client().connect()


async def test_password_is_never_sent() -> None:
    """Neither the password nor HTTP Basic leaves the house."""
    async with house() as home:
        await home.connected()
        await home.connected(address={"tls": True}, certificate=home.trust())
        assert len(home.requests) >= 4
        assert all(PASSWORD not in line for line in home.log)
