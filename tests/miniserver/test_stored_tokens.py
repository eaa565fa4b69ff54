"""Tokens that were stored: used, expired, revoked, ended."""

import pytest

from .harness import house
from custom_components.loxone_wallbox.miniserver import (
    Token,
)
from custom_components.loxone_wallbox.miniserver.errors import (
    AuthenticationError,
)

pytestmark = pytest.mark.usefixtures("socket_enabled")


async def test_stored_token() -> None:
    """A stored token is enough, also after a way through storage."""
    async with house() as home:
        first = await home.connected()
        assert first.token is not None
        stored = first.token.as_dict()
        await first.close()
        second = await home.connected(
            credentials={"token": Token.from_dict(stored), "password": None}
        )
        assert second.connected
        assert home.count("got a token for") == 1
        assert home.count("logged in with a token") == 1


@pytest.mark.parametrize("fault", ["expired_tokens", "revoked_tokens"])
async def test_dead_token(fault: str) -> None:
    """A token the Miniserver no longer knows costs one try, and one with the password."""
    async with house() as home:
        first = await home.connected(start=False)
        await first.close()
        home.sim.fault(fault)
        home.log.clear()
        client = home.client(credentials={"token": first.token, "password": None})
        with pytest.raises(AuthenticationError):
            await client.connect()
        assert home.logins_tried == 1
        home.log.clear()
        client = await home.connected(credentials={"token": first.token})
        assert client.connected
        assert home.count("refused") == 1
        assert home.logins_tried == 2
        home.log.clear()
        home.sim.fault(fault)
        client = home.client(credentials={"token": first.token, "password": "wrong"})
        with pytest.raises(AuthenticationError):
            await client.connect()
        assert home.logins_tried == 2


async def test_expired_token_is_not_sent() -> None:
    """A token past its end is not even tried."""
    async with house() as home:
        client = await home.connected(start=False)
        await client.close()
        later = home.sim.clock.time() + 40 * 86_400
        home.log.clear()
        with pytest.raises(AuthenticationError):
            await home.client(
                credentials={"token": client.token, "password": None},
                now=lambda: later,
            ).connect()
        assert home.logins_tried == 0


async def test_killed_token() -> None:
    """A token that is ended cannot be used any more."""
    async with house() as home:
        client = await home.connected(start=False)
        token = client.token
        await client.revoke_token()
        await client.close()
        assert client.token is None
        assert home.sim.unit.accounts.tokens == []
        with pytest.raises(AuthenticationError):
            await home.client(credentials={"token": token, "password": None}).connect()
        await client.revoke_token()
