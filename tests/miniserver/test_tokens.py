"""The login flow without a Miniserver: what is asked, and what answers mean."""

from collections import deque
from typing import Any

from hypothesis import given, strategies as st
import pytest

from custom_components.loxone_wallbox.miniserver import (
    Credentials,
    Token,
    is_default_password,
    new_client_id,
)
from custom_components.loxone_wallbox.miniserver.answers import Answer
from custom_components.loxone_wallbox.miniserver.auth import (
    LOXONE_EPOCH,
    kill_token,
    log_in,
    refresh_token,
    visualisation_hash,
)
from custom_components.loxone_wallbox.miniserver.errors import (
    AuthenticationError,
    CommandError,
    MiniserverError,
    MissingRightError,
    ProtocolError,
    UserDisabledError,
)

NOW = 1_800_000_000.0
KEY = "41434633443134324337383441373035453333424344364133373431333430"
SALTED = {"key": KEY, "salt": "31306632", "hashAlg": "SHA256"}
JWT = {
    "token": "a.b.c",
    "key": KEY,
    "validUntil": NOW - LOXONE_EPOCH + 1000,
    "tokenRights": 4,
    "unsecurePass": True,
}
TOKEN = Token(
    value="t.o.k",
    valid_until=NOW + 5000,
    hash_algorithm="SHA256",
    rights=4,
    unsecure_password=False,
)


class _Link:
    """Answers commands by name, in order; an error is raised."""

    def __init__(self, **answers: Any) -> None:
        """Take the answers."""
        self._answers = {
            name: deque(value if isinstance(value, list) else [value])
            for name, value in answers.items()
        }
        self.sent: list[str] = []
        self.secret: list[str] = []

    async def command(
        self, text: str, *, name: str, secret_answer: bool = False
    ) -> Answer:
        """Answer."""
        self.sent.append(text)
        if secret_answer:
            self.secret.append(name)
        answer = self._answers[name].popleft()
        if isinstance(answer, MiniserverError):
            raise answer
        return Answer(control=text, value=answer, code=200)


def credentials(**changes: Any) -> Credentials:
    """Return somebody's credentials."""
    known: dict[str, Any] = {
        "username": "Jürgen / a",
        "client_id": "098802e1-02b4-603c-ffffeee000d80cfd",
        "client_name": "Home Assistant/1",
        "password": "Wallbox-1234",
    }
    return Credentials(**{**known, **changes})


def now() -> float:
    """Return the time."""
    return NOW


async def test_password() -> None:
    """The password is proved, never sent; answers with secrets come encrypted."""
    link = _Link(getkey2=SALTED, getjwt=JWT)
    token = await log_in(link, credentials(), now)
    assert token == Token(
        value="a.b.c",
        valid_until=NOW + 1000,
        hash_algorithm="SHA256",
        rights=4,
        unsecure_password=True,
    )
    assert link.sent[0] == "jdev/sys/getkey2/J%C3%BCrgen%20%2F%20a"
    command, proof, user, permission, client, info = link.sent[1].rsplit("/", 5)
    assert command == "jdev/sys/getjwt"
    assert len(proof) == 64
    assert (user, permission) == ("J%C3%BCrgen%20%2F%20a", "4")
    assert client == "098802e1-02b4-603c-ffffeee000d80cfd"
    assert info == "Home%20Assistant%201"
    assert "Wallbox-1234" not in "".join(link.sent)
    assert link.secret == ["getkey2", "getjwt"]


async def test_web_token() -> None:
    """A user without the right for weeks gets hours."""
    refused = MissingRightError(403, "getjwt")
    link = _Link(getkey2=[SALTED, SALTED], getjwt=[refused, JWT])
    await log_in(link, credentials(), now)
    assert "/4/" in link.sent[1]
    assert "/2/" in link.sent[3]


async def test_no_token_at_all() -> None:
    """A user who may have neither is told so."""
    refused = MissingRightError(403, "getjwt")
    link = _Link(getkey2=[SALTED, SALTED], getjwt=[refused, refused])
    with pytest.raises(MissingRightError):
        await log_in(link, credentials(), now)


async def test_stored_token() -> None:
    """A token is used where there is one."""
    link = _Link(getkey=KEY, authwithtoken={"validUntil": JWT["validUntil"]})
    token = await log_in(link, credentials(token=TOKEN), now)
    assert (token.value, token.valid_until) == ("t.o.k", NOW + 1000)
    assert (token.rights, token.unsecure_password) == (4, False)
    assert link.sent[1].startswith("authwithtoken/")
    assert link.secret == ["getkey", "authwithtoken"]


@pytest.mark.parametrize("left", [-5.0, 0.0, 300.0])
async def test_expired_token(left: float) -> None:
    """A token that is about to end is not used, nor is one with no password missed."""
    old = Token.from_dict({**TOKEN.as_dict(), "valid_until": NOW + left})
    link = _Link(getkey2=SALTED, getjwt=JWT)
    assert (await log_in(link, credentials(token=old), now)).value == "a.b.c"
    with pytest.raises(AuthenticationError):
        await log_in(_Link(), credentials(token=old, password=None), now)


async def test_revoked_token() -> None:
    """A refused token is followed by one try with the password, where it is known."""
    refused = AuthenticationError("no")
    link = _Link(getkey=KEY, authwithtoken=refused, getkey2=SALTED, getjwt=JWT)
    assert (await log_in(link, credentials(token=TOKEN), now)).value == "a.b.c"
    link = _Link(getkey=KEY, authwithtoken=refused, getkey2=SALTED, getjwt=refused)
    with pytest.raises(AuthenticationError):
        await log_in(link, credentials(token=TOKEN), now)
    assert len(link.sent) == 4
    link = _Link(getkey=KEY, authwithtoken=refused)
    with pytest.raises(AuthenticationError):
        await log_in(link, credentials(token=TOKEN, password=None), now)
    assert len(link.sent) == 2


async def test_disabled_user() -> None:
    """A disabled user's password is not tried after the token."""
    link = _Link(getkey=KEY, authwithtoken=UserDisabledError("no"))
    with pytest.raises(UserDisabledError):
        await log_in(link, credentials(token=TOKEN), now)
    assert len(link.sent) == 2


async def test_refresh() -> None:
    """A refreshed token replaces the old; a firmware may keep its text."""
    end = {"validUntil": JWT["validUntil"]}
    link = _Link(getkey=[KEY, KEY], refreshjwt=[{**end, "token": "n.e.w"}, end])
    assert (await refresh_token(link, "u", TOKEN)).value == "n.e.w"
    token = await refresh_token(link, "u", TOKEN)
    assert (token.value, token.rights) == ("t.o.k", 4)


async def test_kill() -> None:
    """Some firmware answers the end of a token with a refusal."""
    link = _Link(getkey=[KEY] * 3, killtoken=["1", AuthenticationError("no")])
    await kill_token(link, "u", TOKEN)
    await kill_token(link, "u", TOKEN)
    assert link.sent[1].startswith("jdev/sys/killtoken/")
    link = _Link(getkey=KEY, killtoken=CommandError(404, "killtoken"))
    with pytest.raises(CommandError):
        await kill_token(link, "u", TOKEN)


@pytest.mark.parametrize(
    "answers",
    [
        {"getkey2": ""},
        {"getkey2": {"key": KEY}},
        {"getkey2": {"salt": "x"}},
        {"getkey2": {**SALTED, "key": "xyz"}},
        {"getkey2": {**SALTED, "salt": "\ud800"}},
        {"getkey2": {**SALTED, "hashAlg": "MD5"}},
        {"getkey2": SALTED, "getjwt": ""},
        {"getkey2": SALTED, "getjwt": {**JWT, "token": ""}},
        {"getkey2": SALTED, "getjwt": {**JWT, "token": 1}},
        {"getkey2": SALTED, "getjwt": {**JWT, "token": "\ud800"}},
        {"getkey2": SALTED, "getjwt": {**JWT, "validUntil": "soon"}},
    ],
)
async def test_broken_answers(answers: dict[str, Any]) -> None:
    """An answer without its fields is our own error."""
    with pytest.raises(ProtocolError):
        await log_in(_Link(**answers), credentials(), now)


@pytest.mark.parametrize("key", ["", None, {}, "xyz"])
async def test_broken_key(key: object) -> None:
    """A one-time key that is none is our own error."""
    with pytest.raises(ProtocolError):
        await refresh_token(_Link(getkey=key), "u", TOKEN)


async def test_visualisation_hash() -> None:
    """The proof is a keyed hash of the salted password."""
    assert len(await visualisation_hash(_Link(getvisusalt=SALTED), "u", "p")) == 64


def test_token_storage() -> None:
    """A token survives its storage."""
    assert Token.from_dict(TOKEN.as_dict()) == TOKEN
    assert "t.o.k" not in repr(TOKEN)
    assert "Wallbox-1234" not in repr(credentials(token=TOKEN))


@given(
    st.dictionaries(
        st.sampled_from(list(TOKEN.as_dict())),
        st.none() | st.booleans() | st.floats() | st.text(max_size=9) | st.integers(),
    )
)
def test_token_from_anything(data: dict[str, Any]) -> None:
    """Stored data of any kind is a token or refused."""
    for fields in (data, {**TOKEN.as_dict(), **data}):
        try:
            token = Token.from_dict(fields)
        except ProtocolError:
            continue
        assert 30 <= token.refresh_in(NOW) <= 86_400


@pytest.mark.parametrize(
    ("left", "pause"),
    [(28 * 86_400, 86_400), (86_400, 43_200), (600, 300), (10, 30), (-10, 30)],
)
def test_refresh_in(left: float, pause: float) -> None:
    """A token is refreshed at half its life, at least daily."""
    token = Token.from_dict({**TOKEN.as_dict(), "valid_until": NOW + left})
    assert token.refresh_in(NOW) == pause


def test_client_id() -> None:
    """An id has Loxone's form and is drawn anew each time."""
    ids = {new_client_id() for _ in range(5)}
    assert len(ids) == 5
    assert [len(part) for part in ids.pop().split("-")] == [8, 4, 4, 16]


@pytest.mark.parametrize(
    ("username", "password", "default"),
    [
        ("admin", "admin", True),
        ("ha", "ADMIN", True),
        ("ha", "", True),
        ("ha", "   ", True),
        ("Anna", "anna", True),
        ("ha", "password", True),
        ("admin", "Wallbox-1234", False),
    ],
)
def test_default_password(username: str, password: str, default: bool) -> None:
    """Passwords that anybody would try first are known."""
    assert is_default_password(username, password) is default
