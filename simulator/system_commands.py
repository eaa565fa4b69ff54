"""Commands about the connection itself: keys, logins and tokens.

Source: Communicating with the Miniserver, "Setting up a connection" and "Tokens".
"""

from collections.abc import Callable, Sequence
import json

from .accounts import EPOCH_2009, OneTimeKey, Token
from .caller import Caller
from .config import Right, User
from .crypto import CryptoError
from .envelope import Answer
from .miniserver import Miniserver

# From here on TLS alone protects tokens.
PLAIN_ON_TLS_SINCE = (11, 2, 10, 22)
_PLAIN_TOKEN_SINCE = (11, 2)
_HASH_ALG_SINCE = (10, 4)
_JWT_SINCE = (10, 1, 12, 5)
_CHECK_SINCE = (10, 0, 9, 13)
_CERTIFICATE_SINCE = (15, 2)
_LOCAL_SINCE = (12, 1)
_SLOTS_SINCE = (10, 0)
_JWT_ARGUMENTS = 5
_TOKEN_ARGUMENTS = 2
_LAST_EDIT = {"lastEdit": "2009-01-01 01:00:00", "unix": EPOCH_2009}

type Handler = Callable[[str, Sequence[str], Caller], Answer]


class SystemCommands:
    """Handlers by name; each takes the echo, the arguments and the caller."""

    def __init__(self, unit: Miniserver) -> None:
        """Take the unit."""
        self._unit = unit
        self._accounts = unit.accounts
        version = unit.config.version
        self.before_login: dict[str, Handler] = {
            "getPublicKey": self._public_key,
            "getkey": self._key,
            "getkey2": self._key2,
            "gettoken": self._token,
        }
        self.after_login: dict[str, Handler] = {
            "refreshtoken": self._refresh_legacy,
            "killtoken": self._kill,
            "getvisusalt": self._visu_salt,
            "date": self._date,
            "time": self._time,
        }
        if version >= _JWT_SINCE:
            self.before_login["getjwt"] = self._token
            self.after_login["refreshjwt"] = self._refresh_jwt
        if version >= _CHECK_SINCE:
            self.after_login["checktoken"] = self._check
        if version >= _CERTIFICATE_SINCE:
            self.before_login["getcertificate"] = self._certificate

    def api_key(self, echo: str, _args: Sequence[str], caller: Caller) -> Answer:
        """Tell who the unit is, in a text with single quotes."""
        config = self._unit.config
        version = config.version
        pairs = [config.serial.upper()[index : index + 2] for index in range(0, 12, 2)]
        fields: dict[str, object] = {
            "snr": ":".join(pairs),
            "version": config.firmware,
            "key": self._accounts.new_key().key * 2,
        }
        if version >= _SLOTS_SINCE:
            fields["hasEventSlots"] = self._unit.has_slot
            fields["isInTrust"] = False
        if version >= _LOCAL_SINCE:
            fields["local"] = True
        if config.generation > 1:
            fields |= {"address": "", "certTLD": "com", "httpsStatus": 1}
        else:
            del fields["key"]
        del caller
        return Answer(control=echo, value=json.dumps(fields).replace('"', "'"))

    def slots(self, echo: str, _args: Sequence[str], _caller: Caller) -> Answer:
        """Tell whether another client finds a place."""
        value = json.dumps(
            {
                "snr": self._unit.config.serial,
                "version": self._unit.config.firmware,
                "hasEventSlots": self._unit.has_slot,
            }
        )
        return Answer(control=echo, value=value.replace('"', "'"))

    def key_exchange(self, line: str, wrapped: str, caller: Caller) -> Answer:
        """Take the session key of a websocket and answer with a one-time key."""
        caller.started = True
        if caller.session_key is not None:
            return _sys(line, code=400)
        try:
            # A percent-encoded key is no base64 and fails here as well.
            caller.session_key = self._unit.keys.unwrap(wrapped)
        except CryptoError:
            return _sys(line, code=401)
        # This key stays valid for the whole connection.
        key = OneTimeKey(key=self._accounts.new_key().key, until=float("inf"))
        caller.remember(key)
        return _sys(line, caller.session_key.encrypt(key.key))

    def auth_with_token(self, echo: str, args: Sequence[str], caller: Caller) -> Answer:
        """Log in with a token or its hash."""
        token, answer = self._find(echo, args, caller)
        if token is None:
            return answer
        caller.user, caller.token = token.user, token
        self._accounts.succeeded(caller.address)
        self._unit.log(f"{token.user.name} logged in with a token")
        return _sys(echo, self._validity(token))

    def authorise(self, given: str, name: str, caller: Caller) -> User | None:
        """Return the user whose token came with a command over HTTP."""
        token = self._accounts.find_token(name, given, caller.keys, plain=self._plain)
        if token is None or token.user.disabled:
            return None
        caller.token = token
        return token.user

    @property
    def _plain(self) -> bool:
        """Return whether this firmware takes tokens without hashing."""
        return self._unit.config.version >= _PLAIN_TOKEN_SINCE

    def protected(self, caller: Caller) -> bool:
        """Return whether secrets may travel as this caller sends them."""
        if caller.encrypted:
            return True
        return caller.tls and self._unit.config.version >= PLAIN_ON_TLS_SINCE

    def refused(self, echo: str, caller: Caller, user: str, what: str) -> Answer:
        """Count wrong credentials; too many of them block the address."""
        self._unit.log(f"{what} of {user or 'nobody'} refused")
        caller.refused = caller.user is None
        if self._accounts.failed(caller.address):
            remaining = self._accounts.remaining_block(caller.address)
            caller.close = (4003, blocked_reason(caller.address, remaining))
            self._unit.log(f"{caller.address} blocked for {remaining} s")
        return _sys(echo, _LAST_EDIT, code=401)

    def _public_key(self, echo: str, _args: Sequence[str], _caller: Caller) -> Answer:
        """Hand out the public key."""
        return Answer(control=_dev(echo), value=self._unit.keys.odd_pem)

    def _certificate(self, echo: str, _args: Sequence[str], _caller: Caller) -> Answer:
        """Hand out the chain of certificates."""
        if not self._unit.certificate_chain:
            return Answer(control=_dev(echo), code=404)
        return Answer(control=_dev(echo), value=self._unit.certificate_chain)

    def _key(self, echo: str, _args: Sequence[str], caller: Caller) -> Answer:
        """Hand out a one-time key."""
        caller.started = True
        key = self._accounts.new_key(caller.user)
        caller.remember(key)
        return _sys(echo, key.key)

    def _key2(self, echo: str, args: Sequence[str], caller: Caller) -> Answer:
        """Hand out a one-time key with the salt of a user, known or not."""
        if len(args) != 1 or not args[0]:
            return _sys(echo, code=400)
        caller.started = True
        return _sys(echo, self._salted(args[0], caller))

    def _visu_salt(self, echo: str, args: Sequence[str], caller: Caller) -> Answer:
        """Hand out what hashes a visualisation password."""
        if len(args) != 1:
            return _sys(echo, code=400)
        return _sys(echo, self._salted(args[0], caller))

    def _salted(self, name: str, caller: Caller) -> dict[str, str]:
        """Return key, salt and the hash algorithm."""
        user = self._accounts.users.get(name)
        key = self._accounts.new_key(user)
        caller.remember(key)
        value = {"key": key.key, "salt": self._accounts.salt_of(name)}
        algorithm = user.hash_alg if user else "SHA256"
        if algorithm and self._unit.config.version >= _HASH_ALG_SINCE:
            value["hashAlg"] = algorithm
        return value

    def _date(self, echo: str, _args: Sequence[str], _caller: Caller) -> Answer:
        """Tell the date on the unit's own wall clock."""
        return self._clock(echo, "%Y-%m-%d")

    def _time(self, echo: str, _args: Sequence[str], _caller: Caller) -> Answer:
        """Tell the time of day on the unit's own wall clock."""
        return self._clock(echo, "%H:%M:%S")

    def _clock(self, echo: str, form: str) -> Answer:
        """Tell what the unit's clock shows."""
        if refused := self._unit.faults.take("no_clock", echo):
            return _sys(echo, code=refused["code"])
        return _sys(echo, self._unit.wall_clock().strftime(form))

    def _token(self, echo: str, args: Sequence[str], caller: Caller) -> Answer:
        """Hand out a token for a hashed password; a websocket is logged in by it."""
        if not self.protected(caller) or len(args) != _JWT_ARGUMENTS:
            return _sys(echo, code=400)
        given, name, permission, client, info = args
        rights = int(permission) if permission.isdigit() else 0
        if not rights & (Right.WEB | Right.APP):
            return _sys(echo, code=400)
        caller.started = True
        if not self._accounts.check_password(name, given, caller.keys):
            return self.refused(echo, caller, name, "the password")
        user = self._accounts.users[name]
        if user.disabled:
            return _sys(echo, code=423)
        if rights & ~user.rights:
            return _sys(echo, code=403)
        self._accounts.succeeded(caller.address)
        token = self._accounts.issue(user, rights, client, info)
        if caller.websocket:
            caller.user, caller.token = user, token
        self._unit.log(f"{name} got a token for {info or client}")
        key = self._accounts.new_key(user)
        caller.remember(key)
        value = {"token": token.text, "key": key.key, **self._validity(token)}
        return _sys(echo, value)

    def _refresh_jwt(self, echo: str, args: Sequence[str], caller: Caller) -> Answer:
        """Replace a token by a younger one."""
        token, answer = self._find(echo, args, caller)
        if token is None:
            return answer
        fresh = self._accounts.refresh(token, same_text=False)
        if caller.token is token:
            caller.token = fresh
        self._unit.log(f"the token of {fresh.user.name} was refreshed")
        validity = self._validity(fresh)
        del validity["tokenRights"]
        return _sys(echo, {"token": fresh.text, **validity})

    def _refresh_legacy(self, echo: str, args: Sequence[str], caller: Caller) -> Answer:
        """Let a token live longer."""
        token, answer = self._find(echo, args, caller)
        if token is None:
            return answer
        self._accounts.refresh(token, same_text=True)
        validity = self._validity(token)
        del validity["tokenRights"]
        return _sys(echo, validity)

    def _check(self, echo: str, args: Sequence[str], caller: Caller) -> Answer:
        """Tell how long a token lives, without a change."""
        token, answer = self._find(echo, args, caller)
        return answer if token is None else _sys(echo, self._validity(token))

    def _kill(self, echo: str, args: Sequence[str], caller: Caller) -> Answer:
        """Delete a token; the connection it logged in ends."""
        token, answer = self._find(echo, args, caller)
        if token is None:
            return answer
        self._accounts.kill(token)
        self._unit.log(f"a token of {token.user.name} was deleted")
        if caller.token is token:
            caller.close = (1000, "token killed")
        return _sys(echo, "1")

    def _find(
        self, echo: str, args: Sequence[str], caller: Caller
    ) -> tuple[Token | None, Answer]:
        """Return the token that a command names, or the answer that refuses it."""
        if not self.protected(caller) or len(args) != _TOKEN_ARGUMENTS:
            return None, _sys(echo, code=400)
        caller.started = True
        given, name = args
        token = self._accounts.find_token(name, given, caller.keys, plain=self._plain)
        if token is None:
            return None, self.refused(echo, caller, name, "a token")
        if token.user.disabled:
            return None, _sys(echo, code=423)
        return token, _sys(echo)

    def _validity(self, token: Token) -> dict[str, object]:
        """Return what a client learns about its token."""
        return {
            "validUntil": int(token.valid_until) - EPOCH_2009,
            "tokenRights": token.rights,
            "unsecurePass": self._accounts.unsecure(token.user),
        }


def blocked_reason(address: str, remaining: int) -> str:
    """Return the reason of a close with 4003; the number is the remaining seconds."""
    return (
        f"Forbidden - IP {address} temporarily blocked, "
        f"too many failed login attempts ({remaining})"
    )


def _sys(echo: str, value: object = "", *, code: int = 200) -> Answer:
    """Return an answer of the kind that `sys` commands get."""
    return Answer(control=echo, value=value, code=code, code_key="code")


def _dev(echo: str) -> str:
    """Return the echo of a command that is asked over HTTP."""
    return echo[1:] if echo.startswith("jdev/") else echo
