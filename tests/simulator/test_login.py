"""Opening, keys, logins and tokens on the websocket."""

from urllib.parse import quote

import pytest

from .client import CLIENT_ID, Cipherer, Closed, code, digest, keyed
from .conftest import Connect, Start
from simulator import ManualClock


async def test_with_and_without_protocol_and_query(
    start: Start, connect: Connect
) -> None:
    """The sub-protocol is optional and a query does not hurt."""
    sim = await start()
    client = connect(sim)
    await client.open(path="/ws/rfc6455?_=1700000000", protocols=("remotecontrol",))
    assert client.ws.protocol == "remotecontrol"
    await client.keepalive()
    client = connect(sim)
    await client.open()
    assert client.ws.protocol is None
    await client.keepalive()


async def test_key_exchange(start: Start, connect: Connect) -> None:
    """Raw base64 is taken once; percent-encoding and other keys are refused."""
    client = connect(await start())
    await client.open()
    wrapped = client.cipher.wrapped(await client.http("jdev/sys/getPublicKey"))
    while "/" not in wrapped:
        wrapped = client.cipher.wrapped(await client.http("jdev/sys/getPublicKey"))
    encoded = quote(wrapped, safe="")
    assert code(await client.plain(f"jdev/sys/keyexchange/{encoded}")) == 401
    assert code(await client.plain("jdev/sys/keyexchange/AAAA")) == 401
    answer = await client.plain(f"jdev/sys/keyexchange/{wrapped}")
    assert code(answer) == 200
    assert bytes.fromhex(client.cipher.decrypt(answer["value"]))
    # Not a second time on the same connection.
    assert code(await client.plain(f"jdev/sys/keyexchange/{wrapped}")) == 400


async def test_new_key_pair(start: Start, connect: Connect) -> None:
    """After a change of the key pair the old public key is refused."""
    sim = await start()
    client = connect(sim)
    old = client.cipher.wrapped(await client.http("jdev/sys/getPublicKey"))
    sim.fault("new_key_pair")
    await client.open()
    assert code(await client.plain(f"jdev/sys/keyexchange/{old}")) == 401
    assert code(await client.exchange_keys()) == 200


@pytest.mark.parametrize("user", ["admin", "Jürgen Ö", "old"])
@pytest.mark.parametrize("how", ["enc", "fenc"])
async def test_password(start: Start, connect: Connect, user: str, how: str) -> None:
    """SHA256, SHA1 and an unnamed algorithm log in, and the socket is logged in."""
    client = connect(await start())
    await client.open()
    await client.exchange_keys()
    answer = await client.password(user, client.password_of(user), how=how)
    assert code(answer) == 200
    value = answer["value"]
    assert value["tokenRights"] == 4
    assert value["unsecurePass"] is False
    assert bytes.fromhex(value["key"])
    assert code(await client.plain("jdev/sps/LoxAPPversion3")) == 200


async def test_hash_algorithm_is_announced(start: Start, connect: Connect) -> None:
    """The answer to getkey2 names the algorithm, except where there is none."""
    client = connect(await start())
    await client.open()
    named = (await client.plain("jdev/sys/getkey2/admin"))["value"]
    assert named["hashAlg"] == "SHA256"
    assert "hashAlg" not in (await client.plain("jdev/sys/getkey2/old"))["value"]
    # An unknown user cannot be told from a known one.
    assert set((await client.plain("jdev/sys/getkey2/nobody"))["value"]) == set(named)


async def test_plain_password_on_ws(start: Start, connect: Connect) -> None:
    """Without TLS and without encryption no token is handed out."""
    client = connect(await start())
    await client.open()
    client.encrypts = False
    assert code(await client.password("admin", "Sehr geheim!")) == 400


async def test_tls(start: Start, connect: Connect) -> None:
    """On TLS everything goes in clear, also the token itself."""
    sim = await start()
    client = connect(sim)
    await client.open_tls()
    assert code(await client.password("admin", "Sehr geheim!")) == 200
    token = client.token
    client = connect(sim)
    await client.open_tls()
    answer = await client.plain(f"authwithtoken/{token['token']}/admin")
    assert code(answer) == 200
    assert answer["control"].startswith("authwithtoken/")
    assert set(answer["value"]) == {"validUntil", "tokenRights", "unsecurePass"}
    assert code(await client.plain("jdev/sps/LoxAPPversion3")) == 200


async def test_old_tls_needs_encryption(start: Start, connect: Connect) -> None:
    """Before 11.2.10.22 TLS alone is not enough."""
    client = connect(await start(firmware="11.1.9.14"))
    await client.open_tls()
    assert code(await client.password("admin", "Sehr geheim!")) == 400


async def test_first_generation_has_no_tls(start: Start, connect: Connect) -> None:
    """A Miniserver of the first generation offers http only, and says so."""
    sim = await start(generation=1)
    assert sim.tls_port is None
    assert "httpsStatus" not in await connect(sim).http("jdev/cfg/apiKey")


@pytest.mark.parametrize(
    ("credentials", "permission", "expected"),
    [
        (("admin", "wrong"), 4, 401),
        (("nobody", "wrong"), 4, 401),
        (("gone", "was disabled"), 4, 423),
        (("guest", "just looking"), 4 | 0x100, 403),
        (("guest", "just looking"), 2, 200),
        (("admin", "Sehr geheim!"), 0x100, 400),
    ],
)
async def test_refusals(
    start: Start,
    connect: Connect,
    credentials: tuple[str, str],
    permission: int,
    expected: int,
) -> None:
    """Each refusal has its own code."""
    client = connect(await start())
    await client.open()
    await client.exchange_keys()
    answer = await client.password(*credentials, permission=permission)
    assert code(answer) == expected
    if expected == 401:
        assert answer["value"]["unix"] == 1230768000


@pytest.mark.parametrize("source", ["keyexchange", "getkey", "getkey2", "token"])
async def test_token_with_any_key(start: Start, connect: Connect, source: str) -> None:
    """The hash of a token may use any key the unit handed out."""
    sim = await start()
    client = connect(sim)
    await client.log_in()
    token = client.token
    client = connect(sim)
    await client.open()
    await client.exchange_keys()
    if source == "keyexchange":
        answer = await client.with_token(
            "authwithtoken", token, key=client.exchanged_key
        )
    elif source == "getkey":
        answer = await client.with_token("authwithtoken", token)
    elif source == "getkey2":
        key = (await client.secret("jdev/sys/getkey2/admin"))["value"]["key"]
        answer = await client.with_token("authwithtoken", token, key=key)
    else:
        answer = await client.secret(f"authwithtoken/{token['token']}/admin")
    assert code(answer) == 200
    assert code(await client.plain("jdev/sps/LoxAPPversion3")) == 200


async def test_token_life(start: Start, connect: Connect) -> None:
    """Tokens are checked, refreshed, expire and are killed."""
    clock = ManualClock()
    sim = await start(clock, token_lifetime_s=1000)
    client = connect(sim)
    await client.log_in()
    first = client.token
    assert first["validUntil"] == int(clock.time()) + 1000 - 1230768000
    clock.advance(100)
    checked = await client.with_token("jdev/sys/checktoken", first)
    assert checked["value"]["validUntil"] == first["validUntil"]
    fresh = await client.with_token("jdev/sys/refreshjwt", first)
    assert fresh["value"]["validUntil"] == first["validUntil"] + 100
    second = {**first, **fresh["value"]}
    assert second["token"] != first["token"]
    assert code(await client.with_token("jdev/sys/checktoken", first)) == 401
    legacy = await client.with_token("jdev/sys/refreshtoken", second)
    assert code(legacy) == 200
    assert "token" not in legacy["value"]
    clock.advance(1001)
    assert code(await client.with_token("jdev/sys/checktoken", second)) == 401


async def test_kill_token(start: Start, connect: Connect) -> None:
    """Killing the token of the connection ends it."""
    sim = await start()
    client = connect(sim)
    await client.log_in()
    assert code(await client.with_token("jdev/sys/killtoken", client.token)) == 200
    with pytest.raises(Closed):
        await client.frame()
    other = connect(sim)
    await other.open()
    await other.exchange_keys()
    assert code(await other.with_token("authwithtoken", client.token)) == 401


@pytest.mark.parametrize("fault", ["expired_tokens", "revoked_tokens"])
async def test_lost_tokens(start: Start, connect: Connect, fault: str) -> None:
    """Tokens that expired or were revoked are refused."""
    sim = await start()
    client = connect(sim)
    await client.log_in()
    sim.fault(fault)
    assert code(await client.with_token("jdev/sys/checktoken", client.token)) == 401


async def test_encryption_details(start: Start, connect: Connect) -> None:
    """Salts rotate, padding may be anything after NUL, slashes may stay raw."""
    client = connect(await start())
    await client.log_in()
    for tail in (b"", b"\0", b"\0" + bytes([9]) * 9):
        answer = await client.secret(
            "jdev/sps/LoxAPPversion3", tail=tail, escape=tail == b""
        )
        assert code(answer) == 200
    client.salt = "wrong"
    assert code(await client.secret("jdev/sps/LoxAPPversion3")) == 401


async def test_encrypted_with_another_key(start: Start, connect: Connect) -> None:
    """What cannot be decrypted is refused."""
    client = connect(await start())
    await client.open()
    assert code(await client.secret("jdev/sys/getkey")) == 401
    await client.exchange_keys()
    client.cipher, client.salt = Cipherer(), None
    assert code(await client.secret("jdev/sys/getkey")) == 401


async def test_before_login(start: Start, connect: Connect) -> None:
    """Without a login only the commands of a login are answered."""
    client = connect(await start())
    await client.open()
    for command in ("jdev/sps/LoxAPPversion3", "data/LoxAPP3.json", "nonsense"):
        assert code(await client.plain(command)) == 400


async def test_not_logged_in_in_time(start: Start, connect: Connect) -> None:
    """A client that does nothing gets 420 and is closed; one that began has time."""
    clock = ManualClock()
    sim = await start(clock, login_timeout_s=5)
    idle, busy = connect(sim), connect(sim)
    await idle.open()
    await busy.open()
    await busy.exchange_keys()
    sim.advance(6)
    assert code(await idle.answer()) == 420
    with pytest.raises(Closed):
        await idle.frame()
    assert code(await busy.password("admin", "Sehr geheim!")) == 200


async def test_lock_out(start: Start, connect: Connect) -> None:
    """Too many wrong passwords block the address, longer each time."""
    clock = ManualClock()
    sim = await start(clock, lockout_after=3, lockout_s=60)
    client = connect(sim)
    await client.open()
    await client.exchange_keys()
    for _ in range(3):
        assert code(await client.password("admin", "wrong")) == 401
    with pytest.raises(Closed) as closed:
        await client.frame()
    assert closed.value.code == 4003
    client = connect(sim)
    await client.open()
    with pytest.raises(Closed) as closed:
        await client.frame()
    assert closed.value.code == 4003
    assert closed.value.reason == (
        "Forbidden - IP 127.0.0.1 temporarily blocked, "
        "too many failed login attempts (60)"
    )
    async with client.session.get(f"{sim.url}/jdev/cfg/apiKey") as response:
        assert response.status == 403
        assert "<remaining>60</remaining>" in await response.text()
    clock.advance(61)
    await client.log_in()


async def test_refused_login_is_closed(start: Start, connect: Connect) -> None:
    """After a refused login the unit closes when nothing more comes."""
    client = connect(await start(refusal_grace_s=0.05))
    await client.open()
    await client.exchange_keys()
    assert code(await client.password("admin", "wrong")) == 401
    with pytest.raises(Closed):
        await client.frame()


async def test_visualisation_password(start: Start, connect: Connect) -> None:
    """A secured control obeys only with the visualisation password."""
    sim = await start()
    box = sim.wallboxes[0]
    client = connect(sim)
    await client.log_in()
    salted = (await client.secret("jdev/sys/getvisusalt/admin"))["value"]
    for word, expected in (("4711", 200), ("0000", 500)):
        secret = digest(salted["hashAlg"], f"{word}:{salted['salt']}")
        proof = keyed(salted["hashAlg"], salted["key"], secret)
        answer = await client.secret(f"jdev/sps/ios/{proof}/{box.uuid}/allow/off")
        assert code(answer) == expected
    assert box.enabled is False


async def test_old_firmware_has_no_jwt(start: Start, connect: Connect) -> None:
    """Before 10.2 tokens are got by another command."""
    sim = await start(firmware="10.0.9.24", generation=1)
    client = connect(sim)
    await client.open()
    await client.exchange_keys()
    salted = (await client.secret("jdev/sys/getkey2/old"))["value"]
    secret = digest("SHA1", f"no algorithm:{salted['salt']}")
    proof = keyed("SHA1", salted["key"], f"old:{secret}")
    rest = f"{proof}/old/4/{CLIENT_ID}/test"
    assert code(await client.secret(f"jdev/sys/getjwt/{rest}")) == 400
    assert code(await client.secret(f"jdev/sys/gettoken/{rest}")) == 200
