"""Tokens over the life of a link: renewed in time, refused, replaced."""

import asyncio

import pytest

from .harness import config, house, only, until
from custom_components.loxone_wallbox.miniserver import (
    client as client_module,
)
from simulator import ManualClock, Right

pytestmark = pytest.mark.usefixtures("socket_enabled")


async def test_refused_after_a_break() -> None:
    """Credentials that are refused later are tried once and never again."""
    async with house() as home:
        client = await home.connected()
        token = client.token
        await client.close()
        home.listener.lost.clear()
        client = await home.connected(credentials={"token": token, "password": None})
        home.log.clear()
        home.sim.fault("revoked_tokens", close=True)
        await until(lambda: home.listener.refused)
        await asyncio.sleep(0.2)
        assert home.logins_tried == 1
        assert len(home.listener.refused) == 1
        assert home.listener.made == 0
        assert not client.connected


async def test_password_changed() -> None:
    """With a kept password that is wrong too, exactly two logins are tried."""
    async with house() as home:
        client = await home.connected()
        accounts = home.sim.unit.accounts
        accounts.users = {user.name: user for user in only(password="changed")}
        home.log.clear()
        home.sim.fault("revoked_tokens", close=True)
        await until(lambda: home.listener.refused)
        await asyncio.sleep(0.2)
        assert home.logins_tried == 2
        assert not client.connected


async def test_password_after_a_revoked_token() -> None:
    """A revoked token is replaced with the help of a kept password."""
    async with house() as home:
        client = await home.connected()
        old = client.token
        home.sim.fault("revoked_tokens", close=True)
        await until(lambda: home.listener.made == 1)
        assert client.token not in {None, old}
        assert home.listener.tokens[-1] == client.token


async def test_refresh(monkeypatch: pytest.MonkeyPatch) -> None:
    """A token is renewed in time, stored, and works at the next login."""
    monkeypatch.setattr(
        "custom_components.loxone_wallbox.miniserver.auth.MAX_REFRESH_INTERVAL_S", 0.1
    )
    async with house() as home:
        client = await home.connected()
        await until(lambda: len(home.listener.tokens) >= 4)
        assert home.count("was refreshed") >= 3
        assert len({token.value for token in home.listener.tokens}) >= 4
        await home.sim.drop()
        await until(lambda: home.listener.made == 1)
        assert home.count("got a token for") == 1
        assert client.connected


async def test_refresh_before_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """A token that lives for minutes is renewed at half of what is left."""
    slept: list[float] = []
    async with house(config(token_lifetime_s=1000.0)) as home:
        sleep = asyncio.sleep

        async def note(seconds: float) -> None:
            """Keep long pauses and shorten them."""
            if 100 < seconds < 1000:
                slept.append(seconds)
                seconds = 0.05 if len(slept) < 3 else seconds
            await sleep(seconds)

        monkeypatch.setattr(asyncio, "sleep", note)
        await home.connected()
        await until(lambda: home.count("was refreshed") == 2)
        assert all(495 < seconds <= 500 for seconds in slept)


async def test_refused_refresh_is_not_repeated(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A token that cannot be renewed is not tried again, and the link stays."""
    monkeypatch.setattr(client_module, "REFRESH_RETRY_S", 0.01)
    monkeypatch.setattr(
        "custom_components.loxone_wallbox.miniserver.auth.MAX_REFRESH_INTERVAL_S", 0.1
    )
    async with house() as home:
        client = await home.connected()
        home.sim.fault("revoked_tokens")
        await until(lambda: home.count("a token of admin refused"))
        await asyncio.sleep(0.5)
        assert home.count("refused") == 1
        assert client.connected


async def test_refresh_answered_with_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """A renewal whose answer is lost is tried again later."""
    monkeypatch.setattr(client_module, "REFRESH_RETRY_S", 0.01)
    monkeypatch.setattr(
        "custom_components.loxone_wallbox.miniserver.auth.MAX_REFRESH_INTERVAL_S", 0.1
    )
    async with house(config(refresh_keeps_old=True)) as home:
        home.sim.fault("empty_answer", match="refreshjwt", times=2)
        client = await home.connected()
        await until(lambda: home.count("was refreshed") >= 4)
        assert client.connected
        assert client.connections == 1


async def test_expired_while_away() -> None:
    """A token that ended while nobody was connected costs no login of its own."""
    clock = ManualClock()
    settings = config(users=only(rights=int(Right.WEB)))
    async with house(settings, clock=clock) as home:
        client = await home.connected(now=clock.time)
        clock.advance(2 * 86_400)
        home.log.clear()
        await home.sim.drop()
        await until(lambda: home.listener.made == 1)
        assert home.logins_tried == 1
        assert home.count("got a token for") == 1
        assert client.connected


async def test_break_before_a_refresh(monkeypatch: pytest.MonkeyPatch) -> None:
    """Over a broken link no token is renewed."""
    monkeypatch.setattr(
        "custom_components.loxone_wallbox.miniserver.auth.MAX_REFRESH_INTERVAL_S", 0.1
    )
    async with house() as home:
        client = await home.connected(start=False)
        await home.sim.drop()
        await asyncio.sleep(0.2)
        assert home.count("was refreshed") == 0
        assert not client.connected


async def test_close_during_a_refresh(monkeypatch: pytest.MonkeyPatch) -> None:
    """A renewal that is under way is waited for: the old token is gone already."""
    monkeypatch.setattr(
        "custom_components.loxone_wallbox.miniserver.auth.MAX_REFRESH_INTERVAL_S", 0.1
    )
    async with house() as home:
        home.sim.fault("delay", seconds=0.5, match="refreshjwt")
        client = await home.connected()
        await until(lambda: home.count("was refreshed") == 1)
        await client.close()
        token = home.listener.tokens[-1]
        monkeypatch.undo()
        again = home.client(credentials={"token": token, "password": None})
        home.log.clear()
        await again.connect()
        assert home.count("got a token for") == 0
        await again.close()
