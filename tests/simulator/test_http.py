"""The HTTP side: what everybody may ask, logins, errors, and finding the unit."""

import asyncio
import base64
import json
import re
import ssl
from typing import Any, override
from urllib.parse import quote
from xml.etree import ElementTree as ET

from aiohttp import ClientConnectorCertificateError, ClientSession
from cryptography import x509
from cryptography.hazmat.primitives import serialization
import pytest

from .client import CLIENT_ID, Cipherer, Client, code, digest, keyed
from .conftest import Connect, Start
from simulator import ManualClock, Simulator

type Login = tuple[str, str] | None
ADMIN = ("admin", "Sehr geheim!")


async def get(client: Client, path: str, auth: Login = None) -> tuple[int, str]:
    """Return status and text."""
    url = f"{client.sim.url}/{path}"
    headers = {}
    if auth:
        plain = ":".join(auth).encode()
        headers["Authorization"] = f"Basic {base64.b64encode(plain).decode()}"
    async with client.session.get(url, headers=headers) as response:
        return response.status, await response.text()


async def test_api_key(start: Start, connect: Connect) -> None:
    """The value is a text with single quotes that becomes JSON."""
    client = connect(await start())
    value = await client.http("jdev/cfg/apiKey")
    assert isinstance(value, str)
    assert '"' not in value
    fields = json.loads(value.replace("'", '"'))
    assert fields["snr"] == "50:4F:94:A0:00:01"
    assert fields["version"] == "16.1.11.6"
    assert fields["httpsStatus"] == 1
    assert fields["hasEventSlots"] is True
    assert fields["local"] is True
    slots = json.loads((await client.http("jdev/cfg/api")).replace("'", '"'))
    assert slots["hasEventSlots"] is True
    assert await client.http("jdev/cfg/version") == "16.1.11.6"


async def test_old_api_key(start: Start, connect: Connect) -> None:
    """Old firmware tells little."""
    client = connect(await start(firmware="9.1.10.30", generation=1))
    fields = json.loads((await client.http("jdev/cfg/apiKey")).replace("'", '"'))
    assert set(fields) == {"snr", "version"}


async def test_xml(start: Start, connect: Connect) -> None:
    """`dev` instead of `jdev` answers with XML."""
    status, text = await get(connect(await start()), "dev/cfg/version")
    assert status == 200
    root = ET.fromstring(text)
    assert root.attrib == {
        "control": "dev/cfg/version",
        "value": "16.1.11.6",
        "Code": "200",
    }


async def test_public_key(start: Start, connect: Connect) -> None:
    """The label says certificate; inside is a bare RSA key on one line."""
    value = await connect(await start()).http("jdev/sys/getPublicKey")
    match = re.fullmatch(
        "-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=]+)-----END CERTIFICATE-----", value
    )
    assert match
    raw = Cipherer().wrapped(value)
    assert raw
    with pytest.raises(ValueError, match="error parsing"):
        x509.load_pem_x509_certificate(value.encode().replace(b"-----M", b"-----\nM"))


async def test_certificate_chain(start: Start, connect: Connect) -> None:
    """The chain starts with the root and ends with the unit's own certificate."""
    sim = await start()
    chain = await connect(sim).http("jdev/sys/getcertificate")
    certificates = x509.load_pem_x509_certificates(chain.encode())
    assert certificates[0].public_bytes(serialization.Encoding.PEM).decode() == (
        sim.ca_pem
    )
    names = certificates[-1].extensions.get_extension_for_class(
        x509.SubjectAlternativeName
    )
    assert names.value.get_values_for_type(x509.DNSName) == [
        "127-0-0-1.504F94A00001.dyndns.loxonecloud.com"
    ]


async def test_https_checks_the_name(start: Start, connect: Connect) -> None:
    """TLS is right for the dyndns name, and for no other and no address."""
    sim = await start()
    client = connect(sim)
    context = ssl.create_default_context(cadata=sim.ca_pem)
    url = f"https://127.0.0.1:{sim.tls_port}/jdev/cfg/version"
    async with client.session.get(
        url, ssl=context, server_hostname=sim.tls_name
    ) as response:
        assert response.status == 200
    with pytest.raises(ClientConnectorCertificateError):
        await client.session.get(url, ssl=context)


async def test_basic(start: Start, connect: Connect) -> None:
    """HTTP Basic opens the structure file and commands."""
    sim = await start()
    client = connect(sim)
    status, text = await get(client, "data/LoxAPP3.json", ADMIN)
    assert status == 200
    assert json.loads(text)["msInfo"]["serialNr"] == "504F94A00001"
    status, text = await get(client, "jdev/sps/LoxAPPversion3", ADMIN)
    assert (
        json.loads(text)["LL"]["value"]
        == json.loads((await get(client, "data/LoxAPP3.json", ADMIN))[1])[
            "lastModified"
        ]
    )
    path = f"jdev/sps/io/{sim.wallboxes[0].uuid}/allow/off"
    status, text = await get(client, path, ADMIN)
    assert status == 200
    assert json.loads(text)["LL"]["control"] == path[1:]
    assert sim.wallboxes[0].enabled is False


@pytest.mark.parametrize(
    "path", ["data/LoxAPP3.json", "jdev/sps/LoxAPPversion3", "data/status", "nonsense"]
)
async def test_without_login(start: Start, connect: Connect, path: str) -> None:
    """Without credentials, and with wrong ones, there is a small page."""
    client = connect(await start())
    for auth in (None, ("admin", "wrong"), ("nobody", "")):
        status, text = await get(client, path, auth)
        assert status == 401
        assert "<errorcode>401</errorcode>" in text
        assert "<errordetail>" in text


async def test_wrong_basic_blocks(start: Start, connect: Connect) -> None:
    """Wrong credentials over HTTP count as well."""
    client = connect(await start(ManualClock(), lockout_after=2))
    for expected in (401, 401, 403):
        assert (await get(client, "data/status", ("admin", "x")))[0] == expected


async def test_token_over_http(start: Start, connect: Connect) -> None:
    """A token is got and used with encrypted requests that bring their session key."""
    sim = await start()
    client = connect(sim)
    cipher = Cipherer()
    wrapped = quote(cipher.wrapped(await client.http("jdev/sys/getPublicKey")), safe="")

    async def ask(command: str, how: str = "fenc") -> str:
        inner = quote(cipher.encrypt(f"salt/abcd/{command}"), safe="")
        status, text = await get(client, f"jdev/sys/{how}/{inner}?sk={wrapped}")
        assert status == 200, text
        return cipher.decrypt(text) if how == "fenc" else text

    salted = json.loads(await ask("jdev/sys/getkey2/admin"))["LL"]["value"]
    secret = digest("SHA256", f"Sehr geheim!:{salted['salt']}")
    proof = keyed("SHA256", salted["key"], f"admin:{secret}")
    answer = json.loads(await ask(f"jdev/sys/getjwt/{proof}/admin/4/{CLIENT_ID}/me"))
    token = answer["LL"]["value"]["token"]
    key = json.loads(await ask("jdev/sys/getkey"))["LL"]["value"]
    login = f"autht={keyed('SHA256', key, token)}&user=admin"
    text = await ask(f"data/LoxAPP3.json?{login}", "enc")
    assert json.loads(text)["controls"]
    version = json.loads(await ask(f"jdev/sps/LoxAPPversion3?{login}"))
    assert code(version["LL"]) == 200
    status, _ = await get(client, f"data/LoxAPP3.json?autht={token}&user=admin")
    assert status == 200
    status, _ = await get(client, f"data/LoxAPP3.json?autht={token}&user=guest")
    assert status == 401


async def test_wrong_session_key(start: Start, connect: Connect) -> None:
    """What cannot be decrypted is refused with 401."""
    client = connect(await start())
    status, text = await get(client, "jdev/sys/enc/AAAA?sk=BBBB")
    assert status == 401
    assert code(json.loads(text)["LL"]) == 401


async def test_status(start: Start, connect: Connect) -> None:
    """The tree of devices lists the wallboxes with their link."""
    sim = await start()
    sim.wallboxes[1].set_online(False)
    client = connect(sim)
    status, text = await get(client, "data/status", ADMIN)
    assert status == 200
    root = ET.fromstring(text)
    tree, air = root.find(".//TreeDevice"), root.find(".//AirDevice")
    assert tree is not None
    assert air is not None
    assert (tree.get("Name"), tree.get("Online")) == ("Garage", "true")
    assert tree.get("Code") == "-2145189707"
    assert (air.get("Name"), air.get("Online")) == ("Carport", "false")
    status, _ = await get(client, "data/status", ("guest", "just looking"))
    assert status == 403


async def test_all_outputs(start: Start, connect: Connect) -> None:
    """`/all` lists the outputs of the block, in XML and in JSON."""
    sim = await start()
    client = connect(sim)
    _, text = await get(client, "dev/sps/io/Garage/all", ADMIN)
    outputs = {
        output.get("name"): output.get("value") for output in ET.fromstring(text)
    }
    assert outputs["Mr"] == "100.000"
    assert outputs["Tp"] == "11.000"
    _, text = await get(client, f"jdev/sps/io/{sim.wallboxes[0].uuid}/all", ADMIN)
    assert json.loads(text)["LL"]["output0"]["name"] == "Ca"


async def test_front_page(start: Start, connect: Connect) -> None:
    """The front page answers everybody, as some clients expect."""
    assert (await get(connect(await start()), ""))[0] == 200


async def test_upnp(start: Start, connect: Connect) -> None:
    """The device description names the maker and the serial number."""
    status, text = await get(connect(await start()), "upnp.xml")
    assert status == 200
    assert "Loxone Electronics GmbH" in text
    assert "<serialNumber>504F94A00001</serialNumber>" in text


class Listener(asyncio.DatagramProtocol):
    """Collects datagrams."""

    def __init__(self) -> None:
        """Start empty."""
        self.heard: asyncio.Queue[str] = asyncio.Queue()

    @override
    def datagram_received(self, data: bytes, addr: Any) -> None:
        """Keep the text."""
        self.heard.put_nowait(data.decode())


async def test_discovery(start: Start, connect: Connect) -> None:
    """One zero byte is answered to the sender and to the clients' own port."""
    loop = asyncio.get_running_loop()
    local = ("127.0.0.1", 0)
    waiting, reply = await loop.create_datagram_endpoint(Listener, local_addr=local)
    port = waiting.get_extra_info("sockname")[1]
    sim = await start(name="My home", discovery_port=0, discovery_reply_port=port)
    asking, direct = await loop.create_datagram_endpoint(
        Listener, remote_addr=("127.0.0.1", sim.discovery_port or 0)
    )
    asking.sendto(b"hello")
    asking.sendto(b"\x00")
    for listener in (direct, reply):
        text = await asyncio.wait_for(listener.heard.get(), 2)
        assert re.match(
            rf"LoxLIVE: My home 127\.0\.0\.1:{sim.port} 504F94A00001 16\.1\.11\.6 "
            r"Prog:\d{4}-\d\d-\d\d \d\d:\d\d:\d\d Type:2 HwId:\w+ IPv6:",
            text,
        )
        assert listener.heard.empty()
    asking.close()
    waiting.close()
    await asyncio.sleep(0)


async def test_booting(start: Start, connect: Connect) -> None:
    """While the unit starts, everything is answered with 503."""
    clock = ManualClock()
    sim = await start(clock)
    client = connect(sim)
    await sim.restart(down_s=30)
    for path in ("jdev/cfg/apiKey", "ws/rfc6455", "data/LoxAPP3.json"):
        status, text = await get(client, path)
        assert status == 503
        assert "<errorcode>503</errorcode>" in text
    clock.advance(31)
    assert (await get(client, "jdev/cfg/apiKey"))[0] == 200


async def test_two_units(start: Start) -> None:
    """Two Miniservers live side by side; a port that is taken is an error."""
    one, two = await start(), await start(serial="504F94A00002")
    assert one.port != two.port
    url = f"{two.url}/jdev/cfg/apiKey"
    async with ClientSession() as session, session.get(url) as response:
        assert "50:4F:94:A0:00:02" in await response.text()
    with pytest.raises(OSError, match="address already in use"):
        await Simulator(one.config.__class__(port=one.port, tls_port=None)).start()
