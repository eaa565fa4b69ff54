"""The way of a command: decryption, who may ask what, the handler, the answer.

Source: Communicating with the Miniserver, "Command encryption" and "Response".
"""

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote

from .caller import Caller
from .config import Right, User
from .control_commands import ControlCommands
from .crypto import CryptoError
from .envelope import Answer, Document, Reply, to_json, to_xml
from .miniserver import Miniserver
from .states import Kind
from .status import status_xml
from .system_commands import Handler, SystemCommands

_ENC, _FENC = "jdev/sys/enc/", "jdev/sys/fenc/"
_KEY_EXCHANGE = "jdev/sys/keyexchange/"
_CONTROL = ("jdev/sps/io/", "jdev/sps/ios/")
_STRUCTURE = "data/LoxAPP3.json"


@dataclass(frozen=True, kw_only=True)
class Handled:
    """What goes back to the client."""

    text: str
    kind: Kind
    code: int
    content_type: str
    slow_s: float = 0.0
    # The command after decryption, for faults that pick commands.
    command: str = ""


@dataclass(frozen=True, kw_only=True)
class _Request:
    """A command after decryption."""

    # With its query, and without.
    line: str
    path: str
    echo: str


class Refusal(Exception):  # noqa: N818  (an answer and no error)
    """A command that cannot even be read."""

    def __init__(self, code: int) -> None:
        """Take the code of the answer."""
        super().__init__(code)
        self.code = code


class Commands:
    """Handles every command of websockets and HTTP alike."""

    def __init__(self, unit: Miniserver) -> None:
        """Take the unit."""
        self._unit = unit
        system = SystemCommands(unit)
        self._system = system
        controls = ControlCommands(unit)
        self._control = {"sps/io": controls.io, "sps/ios": controls.ios}
        self._open: dict[str, Handler] = {
            "authwithtoken": system.auth_with_token,
            "cfg/apiKey": system.api_key,
            "cfg/api": system.slots,
            "cfg/version": self._version,
            "cfg/mac": self._mac,
            **{f"sys/{name}": handler for name, handler in system.before_login.items()},
        }
        self._closed: dict[str, Handler] = {
            "sps/LoxAPPversion3": self._structure_version,
            "sps/enablebinstatusupdate": self._enable_events,
            "sps/state": self._running,
            **{f"sys/{name}": handler for name, handler in system.after_login.items()},
        }

    def handle(self, line: str, caller: Caller) -> Handled:
        """Return the answer to a command."""
        line = line.removeprefix("/")
        caller.encrypted = False
        fully = line.startswith(_FENC)
        try:
            request = self._read(line, caller)
        except Refusal as refusal:
            answer = Answer(control=line, code=refusal.code, code_key="code")
            return self._finish(answer, line, line, caller, fully=False)
        reply = self._reply(request, caller)
        return self._finish(reply, request.line, line, caller, fully=fully)

    def knows_before_login(self, line: str) -> bool:
        """Return whether a command is answered without credentials."""
        path = line.removeprefix("/").partition("?")[0]
        if path.startswith((_ENC, _FENC, _KEY_EXCHANGE)):
            return True
        return _split(path)[0] in self._open

    def _read(self, line: str, caller: Caller) -> _Request:
        """Decrypt a command if it is encrypted, and check its salt."""
        for prefix in (_ENC, _FENC):
            if not line.startswith(prefix):
                continue
            # The cipher may hold slashes that the client did not escape.
            cipher = unquote(line.removeprefix(prefix).partition("?")[0])
            if caller.session_key is None:
                raise Refusal(401)
            try:
                plain = caller.session_key.decrypt(cipher)
            except CryptoError as err:
                raise Refusal(401) from err
            inner = self._check_salt(plain, caller)
            caller.encrypted = True
            return self._request(inner, f"{prefix}{cipher}")
        return self._request(line, None)

    def _check_salt(self, plain: str, caller: Caller) -> str:
        """Return the command behind the salt; a salt that is not ours is refused."""
        match plain.split("/", 2):
            case ["salt", salt, command]:
                if caller.salt not in (None, salt):
                    raise Refusal(401)
                caller.salt = salt
                return command
            case ["nextSalt", old, rest]:
                fresh, slash, command = rest.partition("/")
                if not slash or caller.salt not in (None, old):
                    raise Refusal(401)
                caller.salt = fresh
                return command
        raise Refusal(401)

    def _request(self, line: str, encrypted_echo: str | None) -> _Request:
        """Return the command with the echo its answer carries."""
        line = line.removeprefix("/")
        path = line.partition("?")[0]
        if path.startswith(_CONTROL) and encrypted_echo:
            echo = encrypted_echo
        elif path.startswith(("jdev/sps/", "jdev/cfg/")):
            echo = path[1:]
        else:
            echo = self._masked(path)
        return _Request(line=line, path=path, echo=echo)

    def _masked(self, path: str) -> str:
        """Return the echo of a command, with its hash hidden where that is wanted."""
        if not self._unit.config.mask_hashes:
            return path
        match path.split("/"):
            case ["authwithtoken", _, *rest]:
                return "/".join(["authwithtoken", "***", *rest])
            case ["jdev", "sys", name, _, *rest] if "token" in name or "jwt" in name:
                return "/".join(["jdev", "sys", name, "***", *rest])
        return path

    def _reply(self, request: _Request, caller: Caller) -> Reply:
        """Find the handler of a command."""
        self._take_token(request, caller)
        if request.path.startswith(_KEY_EXCHANGE):
            # Base64 has slashes, so that nothing may be split here.
            wrapped = request.path.removeprefix(_KEY_EXCHANGE)
            return self._system.key_exchange(request.echo, wrapped, caller)
        name, words = _split(request.path)
        if name in self._open:
            return self._open[name](request.echo, words, caller)
        if caller.user is None:
            return Answer(control=request.echo, code=400)
        if name in self._closed:
            return self._closed[name](request.echo, words, caller)
        if name in self._control:
            # Decodes its words itself: they may hold encoded slashes.
            return self._control[name](request.echo, request.path, caller)
        return self._document(request, caller.user)

    def _document(self, request: _Request, user: User) -> Reply:
        """Return a file."""
        if request.path.lower() == _STRUCTURE.lower():
            slow = self._unit.faults.take("structure_slow")
            text = self._unit.structure.text(user)
            return Document(text=text, slow_s=slow["seconds"] if slow else 0.0)
        if request.path == "data/status":
            if not user.rights & Right.ADMIN:
                return Answer(control=request.echo, code=403)
            return Document(text=status_xml(self._unit), content_type="text/xml")
        return Answer(control=request.echo, code=404)

    def _take_token(self, request: _Request, caller: Caller) -> None:
        """Log in by the token that a command over HTTP brings along."""
        query = dict(parse_qsl(request.line.partition("?")[2]))
        if caller.user is None and "autht" in query and "user" in query:
            caller.user = self._system.authorise(query["autht"], query["user"], caller)

    def _finish(
        self, reply: Reply, command: str, line: str, caller: Caller, *, fully: bool
    ) -> Handled:
        """Turn a reply into text, encrypted where the client wants it."""
        if isinstance(reply, Document) and fully:
            # Files can be asked for encrypted, but do not come encrypted.
            reply = Answer(control=command, code=400)
        if isinstance(reply, Document):
            return Handled(
                text=reply.text,
                kind=Kind.FILE,
                code=200,
                content_type=reply.content_type,
                slow_s=reply.slow_s,
                command=command,
            )
        xml = line.startswith("dev/")
        text = to_xml(reply) if xml else to_json(reply, self._unit.faults, command)
        if fully and caller.session_key:
            text = caller.session_key.encrypt(text)
        return Handled(
            text=text,
            kind=Kind.TEXT,
            code=reply.code,
            content_type="text/xml" if xml else "application/json",
            command=command,
        )

    def _version(self, echo: str, _args: Sequence[str], _caller: Caller) -> Answer:
        """Tell the firmware."""
        return Answer(control=echo, value=self._unit.config.firmware)

    def _mac(self, echo: str, _args: Sequence[str], _caller: Caller) -> Answer:
        """Tell the address of the network card, which is the serial number."""
        serial = self._unit.config.serial.upper()
        pairs = [serial[index : index + 2] for index in range(0, 12, 2)]
        return Answer(control=echo, value=":".join(pairs))

    def _structure_version(
        self, echo: str, _args: Sequence[str], _caller: Caller
    ) -> Answer:
        """Tell when the structure file changed last."""
        return Answer(control=echo, value=self._unit.structure.last_modified)

    def _enable_events(self, echo: str, _args: Sequence[str], caller: Caller) -> Answer:
        """Start sending states; the caller's room sends all of them next."""
        if not caller.websocket:
            return Answer(control=echo, code=400)
        no_slot = self._unit.faults.peek("no_slot")
        if no_slot and no_slot["at"] == "enable":
            caller.close = (4008, "no free event slot")
            return Answer(control=echo, code=901)
        caller.asked_for_events = True
        return Answer(control=echo, value="1")

    def _running(self, echo: str, _args: Sequence[str], _caller: Caller) -> Answer:
        """Tell that the program runs."""
        return Answer(control=echo, value="5")


def _split(path: str) -> tuple[str, list[str]]:
    """Return the name of a command and its arguments, decoded."""
    match path.split("/"):
        case ["jdev" | "dev", area, name, *words]:
            return f"{area}/{name}", [unquote(word) for word in words]
        case [name, *words]:
            return name, [unquote(word) for word in words]
    return "", []
