"""Commands to controls: `jdev/sps/io` and, with a visualisation password, `ios`.

Source: Structure File, "Commands" of each control, and "Secured details".
"""

from http import HTTPStatus
import json
from urllib.parse import unquote

from .caller import Caller
from .config import Right, User
from .envelope import Answer
from .miniserver import ControlCommand, Miniserver
from .wallbox import MANUAL, Wallbox

_READ_ONLY = 0b10
_READS = ("", "state", "astate", "all")
# What a digital virtual input takes.
_INPUT_COMMANDS = ("pulse", "on", "off")


class ControlCommands:
    """Obeys, or refuses with the unit's codes."""

    def __init__(self, unit: Miniserver) -> None:
        """Take the unit."""
        self._unit = unit

    def io(self, echo: str, line: str, caller: Caller) -> Answer:
        """Handle `jdev/sps/io/<control>/<command>`."""
        _, _, rest = line.partition("/sps/io/")
        control, _, command = rest.partition("/")
        return self._handle(echo, line, unquote(control), command, caller, visu=False)

    def ios(self, echo: str, line: str, caller: Caller) -> Answer:
        """Handle `jdev/sps/ios/<hash>/<control>/<command>`."""
        _, _, rest = line.partition("/sps/ios/")
        given, _, rest = rest.partition("/")
        control, _, command = rest.partition("/")
        user = caller.user
        if user is None or not self._unit.accounts.check_visu(user, given, caller.keys):
            self._unit.log("a visualisation password was refused")
            return Answer(control=echo, value="", code=500)
        return self._handle(echo, line, unquote(control), command, caller, visu=True)

    def _handle(
        self,
        echo: str,
        line: str,
        control: str,
        command: str,
        caller: Caller,
        *,
        visu: bool,
    ) -> Answer:
        """Find the control, obey and keep a record."""
        user = caller.user
        assert user is not None  # noqa: S101  (the router lets nobody else in)
        box = self._wallbox(control)
        if box and command in _READS:
            if not self._unit.structure.visible(user, box.uuid):
                return Answer(control=echo, code=403)
            return self._read(echo, box, command)
        if box:
            control = box.uuid
            code, value = self._wallbox_command(box, command, user, visu=visu)
        else:
            code, value = self._other(control, command, user)
        self._unit.commands.append(
            ControlCommand(
                time=self._unit.clock.time(),
                user=user.name,
                text=line,
                code=code,
                control=control,
                command=command,
                encrypted=caller.encrypted,
                tls=caller.tls,
                address=caller.address,
            )
        )
        name = box.name if box else control
        self._unit.log(f"{user.name} -> {name}: {command} ({code})")
        return Answer(control=echo, value=value, code=code)

    def _wallbox(self, control: str) -> Wallbox | None:
        """Return the wallbox of an identifier or of a name."""
        return next(
            (
                box
                for box in self._unit.world.wallboxes
                if control in (box.uuid, box.name)
            ),
            None,
        )

    def _read(self, echo: str, box: Wallbox, command: str) -> Answer:
        """Return the power, or all outputs of the block."""
        self._unit.world.tick()
        value = f"{box.power_kw:.3f}"
        if command != "all":
            return Answer(control=echo, value=value)
        session = box.session
        outputs = {
            "Ca": f"{int(box.enabled)}",
            "Vc": f"{int(box.connected)}",
            "Cp": value,
            "M": f"{box.mode}",
            "Tp": f"{box.target_kw:.3f}",
            "Ls": f"{int(box.loadshed)}",
            "Mr": f"{box.total_kwh:.3f}",
            "Ccc": f"{session.energy if session and box.connected else 0:.3f}",
            "Cd": f"{box.period_kwh['totalDay']:.3f}",
            "Cw": f"{box.period_kwh['totalWeek']:.3f}",
            "Cm": f"{box.period_kwh['totalMonth']:.3f}",
            "Cy": f"{box.period_kwh['totalYear']:.3f}",
            "Cac": f"{int(box.active)}",
            "Cclc": f"{(session.price or 0) if session else 0:.2f}",
            "Uid": session.user if session else "",
        }
        children = tuple(
            ("output", {"name": name, "nr": str(index), "value": text})
            for index, (name, text) in enumerate(outputs.items())
        )
        return Answer(control=echo, value=value, children=children)

    def _wallbox_command(
        self, box: Wallbox, command: str, user: User, *, visu: bool
    ) -> tuple[int, str]:
        """Return code and value for a command to a wallbox."""
        faults = self._unit.faults
        verb = command.partition("/")[0]
        locks = verb in ("lockcontrol", "unlockcontrol")
        if not self._allowed(box, user, visu=visu or locks):
            return 403, ""
        if locks:
            return self._lock(box, command, user)
        if fault := faults.take("command_code", command):
            return int(fault["code"]), ""
        if box.locked or faults.take("command_ignored", command):
            # Taken note of, and without effect.
            return 200, "1"
        try:
            code, value = self._obey(
                box, [unquote(part) for part in command.split("/")]
            )
        except ValueError:
            return 400, ""
        if code == HTTPStatus.OK and (wrong := faults.take("wrong_state", command)):
            self._disobey(box, command, wrong["by_kw"])
        return code, value

    def _allowed(self, box: Wallbox, user: User, *, visu: bool) -> bool:
        """Return whether a user may command a wallbox."""
        if not self._unit.structure.visible(user, box.uuid) or not user.may_control:
            return False
        if box.config.restrictions & _READ_ONLY:
            return False
        return visu or not box.config.secured

    def _obey(self, box: Wallbox, words: list[str]) -> tuple[int, str]:
        """Do what a command says; a wrong value raises a ValueError."""
        managed = box.config.managed and self._unit.config.manager
        match words:
            case ["allow", ("on" | "off") as how]:
                box.set_allowed(how == "on")
            case ["setmode" | "manualLimit", _] if managed:
                return (403, "") if self._unit.config.manager_refuses else (200, "1")
            case ["setmode", mode]:
                box.set_mode(int(mode))
            case ["manualLimit", limit]:
                box.set_manual_limit(float(limit))
            case ["modeUnplug", mode]:
                box.set_mode_unplug(int(mode))
            case ["updateMode", number, limit, name, *price] if len(price) <= 1:
                box.update_mode(
                    int(number), float(limit), name, float(price[0]) if price else None
                )
                self._unit.structure.touch()
                self._announce(box)
            case [
                "allow" | "setmode" | "manualLimit" | "modeUnplug" | "updateMode",
                *_,
            ]:
                return 400, ""
            case _:
                return 404, ""
        return 200, "1"

    def _announce(self, box: Wallbox) -> None:
        """Tell the clients that the structure was edited over the API."""
        structure = self._unit.structure
        text = json.dumps({"uuid": box.uuid, "lastModified": structure.last_modified})
        self._unit.states.set(structure.modifications_uuid, text)
        self._unit.flush()

    def _disobey(self, box: Wallbox, command: str, by_kw: float) -> None:
        """Bring about another state than the one that was wanted."""
        if command.startswith("allow"):
            box.set_allowed(not box.enabled)
        elif command.startswith("manualLimit"):
            box.set_manual_limit(max(box.manual_limit_kw - by_kw, 0))
        elif command.startswith("setmode"):
            others = [
                number
                for number, mode in box.modes.items()
                if mode.name and number != box.mode
            ]
            box.set_mode(others[0] if others else MANUAL)

    def _lock(self, box: Wallbox, command: str, user: User) -> tuple[int, str]:
        """Lock or unlock a control, which administrators may."""
        if not user.rights & Right.ADMIN:
            return 403, ""
        match [unquote(part) for part in command.split("/")]:
            case ["unlockcontrol"] | ["lockcontrol", "0" | "false", *_]:
                box.unlock()
            case ["lockcontrol", "1" | "true", *reason]:
                box.lock("/".join(reason))
            case _:
                return 400, ""
        return 200, "1"

    def _other(self, control: str, command: str, user: User) -> tuple[int, str]:
        """Return code and value for a command to any other control."""
        unit = self._unit
        manager = unit.world.manager
        if manager and control == manager.uuid:
            verb, _, nodes = command.partition("/")
            wanted = nodes.replace(";", ",").split(",")
            values = manager.node_values(wanted) if verb == "getNodeValue" else None
            return (404, "") if values is None else (200, json.dumps(values))
        if control in unit.config.virtual_inputs:
            allowed = (200, "1") if user.may_control else (403, "")
            return allowed if command in _INPUT_COMMANDS else (404, "")
        if control not in unit.padding.controls:
            return 404, ""
        if not user.may_control:
            return 403, ""
        if not unit.padding.command(control, unquote(command)):
            return 404, ""
        unit.flush()
        return 200, "1"
