"""What the owner set and what is under way: plain data that outlives a restart.

Takes changes, gives new states; `as_dict` and `from_dict` are its form on the disk.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import datetime, tzinfo
from enum import StrEnum
from typing import Any, Self

from .delay import DelayMemory
from .dsr import DsrBook, DsrEvent
from .override import Override
from .regulation import MAX_DELAY_S, PRESETS, Cause, Preset, Profile
from .schedule import ClockKind, Schedule, Window
from .wish import Permission

SCHEMA = 1


class EndDelay(StrEnum):
    """Where the random delay at the end of a window lies."""

    BEFORE_BOUNDARY = "before_boundary"
    AFTER_BOUNDARY = "after_boundary"


class HandOver(StrEnum):
    """What the wallbox is left with when Home Assistant stops."""

    ALLOW = "allow"
    LEAVE = "leave"


@dataclass(frozen=True, kw_only=True, slots=True)
class DefaultHours:
    """The default charging hours; `enabled` off suspends them, the hours are kept.

    Without windows there are none: the owner removed them.
    """

    windows: tuple[Window, ...] = ()
    clock: ClockKind = ClockKind.LOCAL
    preset: Preset | None = None
    enabled: bool = True
    changed_at: datetime | None = None

    def schedule(self, zone: tzinfo) -> Schedule | None:
        """Return the schedule in force, None where there is none."""
        if not self.windows or not self.enabled:
            return None
        return Schedule(windows=self.windows, zone=zone, clock=self.clock)

    def as_dict(self) -> dict[str, Any]:
        """Return plain data."""
        return {
            "windows": [window.as_dict() for window in self.windows],
            "clock": self.clock.value,
            "preset": None if self.preset is None else self.preset.value,
            "enabled": self.enabled,
            "changed_at": _text(self.changed_at),
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Read plain data."""
        preset = data.get("preset")
        return cls(
            windows=tuple(Window.from_dict(one) for one in data.get("windows", ())),
            clock=ClockKind(data.get("clock", ClockKind.LOCAL)),
            preset=None if preset is None else Preset(preset),
            enabled=bool(data.get("enabled", True)),
            changed_at=_instant(data.get("changed_at")),
        )


def preset_hours(preset: Preset) -> DefaultHours:
    """Return the hours of a preset."""
    return DefaultHours(windows=PRESETS[preset], preset=preset)


@dataclass(frozen=True, kw_only=True, slots=True)
class OwnerState:
    """Everything of one wallbox that is kept.

    Powers in kW, instants in UTC. `owner_mode` is the charge mode the owner wants once
    no reduction of ours is in force any more.
    """

    profile_id: str = "none"
    hours: DefaultHours = field(default_factory=DefaultHours)
    max_delay_s: int = 0
    end_delay: EndDelay = EndDelay.BEFORE_BOUNDARY
    hand_over: HandOver = HandOver.ALLOW
    permission: Permission = field(default_factory=Permission)
    target_kw: float | None = None
    target_previous_kw: float | None = None
    target_at: datetime | None = None
    target_cause: Cause = Cause.USER
    owner_mode: int | None = None
    override: Override | None = None
    dsr: DsrBook = field(default_factory=DsrBook)
    delay: DelayMemory = field(default_factory=DelayMemory)
    plugged_at: datetime | None = None
    # The Miniserver's own instant of this visit, once it has told it.
    visit: datetime | None = None
    cleared_at: datetime | None = None
    blocked: bool = False
    # Whether the wallbox was ever seen under these rules.
    seen: bool = False

    def with_max_delay(self, seconds: int, now: datetime) -> Self:
        """Set the longest delay; what runs is only ever shortened."""
        if not 0 <= seconds <= MAX_DELAY_S:
            raise ValueError("max_delay_invalid")
        return replace(self, max_delay_s=seconds, delay=self.delay.clamp(seconds, now))

    def as_dict(self) -> dict[str, Any]:
        """Return plain data."""
        return {
            "schema": SCHEMA,
            "profile": self.profile_id,
            "hours": self.hours.as_dict(),
            "max_delay_s": self.max_delay_s,
            "end_delay": self.end_delay.value,
            "hand_over": self.hand_over.value,
            "permission": {
                "allowed": self.permission.allowed,
                "at": _text(self.permission.at),
                "cause": self.permission.cause.value,
                "previous": self.permission.previous,
                "previous_at": _text(self.permission.previous_at),
            },
            "target": {
                "kw": self.target_kw,
                "previous_kw": self.target_previous_kw,
                "at": _text(self.target_at),
                "cause": self.target_cause.value,
            },
            "owner_mode": self.owner_mode,
            "override": None if self.override is None else self.override.as_dict(),
            "dsr": [event.as_dict() for event in self.dsr.events.values()],
            "dsr_former": [event.as_dict() for event in self.dsr.former.values()],
            "delay": self.delay.as_dict(),
            "plugged_at": _text(self.plugged_at),
            "visit": _text(self.visit),
            "cleared_at": _text(self.cleared_at),
            "blocked": self.blocked,
            "seen": self.seen,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any], profile: Profile) -> Self:
        """Read plain data under a regulation profile."""
        permission, target = data["permission"], data["target"]
        # What older files do not have was not known then either.
        events, former = (
            {event.key: event for event in map(DsrEvent.from_dict, found)}
            for found in (data["dsr"], data.get("dsr_former", ()))
        )
        return cls(
            profile_id=data["profile"],
            hours=DefaultHours.from_dict(data["hours"]),
            max_delay_s=data["max_delay_s"],
            end_delay=EndDelay(data["end_delay"]),
            hand_over=HandOver(data["hand_over"]),
            permission=Permission(
                allowed=permission["allowed"],
                at=_instant(permission["at"]),
                cause=Cause(permission["cause"]),
                previous=permission.get("previous", True),
                previous_at=_instant(permission.get("previous_at")),
            ),
            target_kw=target["kw"],
            target_previous_kw=target["previous_kw"],
            target_at=_instant(target["at"]),
            target_cause=Cause(target["cause"]),
            owner_mode=data["owner_mode"],
            override=data["override"] and Override.from_dict(data["override"]),
            dsr=replace(new_book(profile), events=events, former=former),
            delay=DelayMemory.from_dict(data["delay"]),
            plugged_at=_instant(data["plugged_at"]),
            visit=_instant(data.get("visit")),
            cleared_at=_instant(data["cleared_at"]),
            blocked=data["blocked"],
            seen=data["seen"],
        )


def new_book(profile: Profile) -> DsrBook:
    """Return an empty book of events under a profile."""
    return DsrBook(silence=profile.dsr_silence, floor_kw=profile.dsr_floor_kw)


def first_state(profile: Profile, hours: DefaultHours) -> OwnerState:
    """Return the state a wallbox starts with."""
    return OwnerState(
        profile_id=profile.id,
        hours=hours,
        max_delay_s=profile.default_delay_s,
        dsr=new_book(profile),
    )


def undone(now: OwnerState, before: OwnerState, after: OwnerState) -> OwnerState:
    """Return a state without a change, as far as nothing newer stands there."""
    changed = {
        one.name: getattr(before, one.name)
        for one in fields(before)
        if getattr(before, one.name)
        != getattr(after, one.name)
        == getattr(now, one.name)
    }
    return replace(now, **changed)


def _text(at: datetime | None) -> str | None:
    """Return an instant as text."""
    return None if at is None else at.isoformat()


def _instant(text: str | None) -> datetime | None:
    """Read an instant."""
    return None if text is None else datetime.fromisoformat(text)
