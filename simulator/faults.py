"""What can go wrong, by name; several faults can hold at the same time."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


class UnknownFaultError(ValueError):
    """A fault or an option that does not exist."""


@dataclass(frozen=True, kw_only=True)
class FaultKind:
    """A fault that can be injected."""

    summary: str
    # Names and defaults of its own options.
    options: Mapping[str, Any]
    # True: happens once when it is injected and does not stay.
    instant: bool = False


def _kind(summary: str, *, instant: bool = False, **options: Any) -> FaultKind:
    """Return a fault with the options that all standing faults share."""
    shared = {} if instant else {"times": None, "match": None}
    return FaultKind(summary=summary, options={**shared, **options}, instant=instant)


# `times` ends a standing fault after so many uses; `match` restricts a fault of
# answers to commands that contain the text (after decryption).
FAULTS: dict[str, FaultKind] = {
    "latin1_text": _kind("text states in latin-1", user="J\u00fcrgen M\u00fcller"),
    "unescaped_quote": _kind(
        "a quote that is not escaped", value='say "hello" twice', where="answer"
    ),
    "control_characters": _kind(
        "raw control characters in text", value="line\x14break", where="answer"
    ),
    "numeric_codes": _kind("codes as numbers"),
    "negative_zero": _kind("a resting power of -0.000", value=-0.0),
    "no_price": _kind("prices of -1337", value=-1337.0),
    "missing_states": _kind("optional states left out of the structure", names=None),
    "delay": _kind("late answers", seconds=2.0),
    "no_answer": _kind("no answer at all"),
    "events_before_answer": _kind("an event table between command and answer"),
    "zero_header": _kind(
        "a header that announces nothing", instant=True, kind=2, count=1
    ),
    "empty_answer": _kind("answers without a payload"),
    "half_table": _kind("an event table cut in the middle", instant=True, kind=2),
    "garbage_frame": _kind("bytes that are no header", instant=True, size=8),
    "wrong_length": _kind("a header with a wrong length", instant=True, by=5),
    "huge_length": _kind(
        "a header that announces 4 GiB", instant=True, length=0xFFFFFFF0
    ),
    "reset": _kind("connections reset without a close frame", instant=True),
    "half_frame": _kind("a websocket frame cut by a reset", instant=True),
    "silence": _kind("open connections on which nothing is sent any more"),
    "no_slot": _kind("no free place for another client", at="open"),
    "lost_slots": _kind("connections that end unclean keep their place"),
    "booting": _kind("503 to everything"),
    "blocked": _kind(
        "an address is blocked", instant=True, seconds=60.0, address="127.0.0.1"
    ),
    "command_ignored": _kind("commands answered with 200 and not obeyed"),
    "wrong_state": _kind("commands obeyed wrongly", by_kw=1.5),
    "command_code": _kind("commands refused with a code", code=500),
    "estimated_headers": _kind("an estimate before each header", on=True, mask=None),
    "clock_off": _kind("a clock that is wrong", seconds=90.0),
    "clock_zone": _kind("a clock in another time zone", zone="Europe/Vienna"),
    "no_clock": _kind("questions about the clock refused", code=404),
    "expired_tokens": _kind("all tokens expire", instant=True),
    "revoked_tokens": _kind("all tokens are deleted", instant=True, close=False),
    "new_key_pair": _kind("another RSA key pair", instant=True),
    "structure_invalid": _kind("a structure file that is not JSON"),
    "structure_without_wallbox": _kind("a structure file without any wallbox"),
    "structure_slow": _kind("a structure file that takes a while", seconds=5.0),
    "structure_change": _kind("a save in Loxone Config", instant=True, down_s=2.0),
    "offline": _kind("a wallbox without its link", wallbox=0, instant=True, on=True),
    "charging_error": _kind(
        "an error code of a wallbox", wallbox=0, instant=True, code=101
    ),
}


# Types of options whose default does not tell.
_TYPES: dict[str, tuple[type, ...]] = {
    "times": (int,),
    "match": (str,),
    "names": (list, tuple),
    "mask": (int,),
    "wallbox": (int, str),
}


class Faults:
    """The faults that hold now."""

    def __init__(
        self,
        kinds: Mapping[str, FaultKind] = FAULTS,
        types: Mapping[str, tuple[type, ...]] = _TYPES,
    ) -> None:
        """Start with everything in order.

        `kinds` is all that can go wrong, `types` tells the types of options whose
        default does not.
        """
        self._kinds = kinds
        self._types = types
        self._active: dict[str, dict[str, Any]] = {}

    @property
    def active(self) -> dict[str, dict[str, Any]]:
        """Return the standing faults with their options."""
        return {name: dict(options) for name, options in self._active.items()}

    def add(self, name: str, options: Mapping[str, Any]) -> dict[str, Any]:
        """Check a fault, keep it if it stays, and return all its options."""
        kind = self._find(name)
        unknown = set(options) - set(kind.options)
        if unknown:
            known = ", ".join(kind.options) or "none"
            msg = f"{name} has no option {', '.join(sorted(unknown))} (it has: {known})"
            raise UnknownFaultError(msg)
        for option, value in options.items():
            self._check(option, kind.options[option], value)
        merged = {**kind.options, **options}
        if not kind.instant:
            self._active[name] = merged
        return merged

    def clear(self, name: str | None = None) -> None:
        """End one fault or all of them."""
        if name is None:
            self._active.clear()
            return
        self._find(name)
        self._active.pop(name, None)

    def peek(self, name: str) -> dict[str, Any] | None:
        """Return the options of a fault that holds, without using it up."""
        return self._active.get(name)

    def take(self, name: str, command: str = "") -> dict[str, Any] | None:
        """Return the options of a fault that holds for a command, and count the use."""
        options = self._active.get(name)
        if options is None:
            return None
        if options["match"] is not None and options["match"] not in command:
            return None
        if options["times"] is not None:
            options["times"] -= 1
            if options["times"] <= 0:
                del self._active[name]
        return options

    def _check(self, option: str, usual: Any, value: Any) -> None:
        """Refuse an option of another type than its default has."""
        kinds = self._types.get(option) or (
            (int, float) if isinstance(usual, float) else (type(usual),)
        )
        if value is None and usual is None:
            return
        if not isinstance(value, kinds) or (
            bool not in kinds and isinstance(value, bool)
        ):
            names = " or ".join(kind.__name__ for kind in kinds)
            raise UnknownFaultError(f"{option} is of type {names}, not {value!r}")

    def _find(self, name: str) -> FaultKind:
        """Return a fault by name."""
        if name not in self._kinds:
            known = ", ".join(sorted(self._kinds))
            raise UnknownFaultError(f"unknown fault {name!r}, choose from {known}")
        return self._kinds[name]
