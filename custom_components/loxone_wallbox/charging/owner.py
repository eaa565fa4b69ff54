"""What the owner set and what is under way: plain data that outlives a restart.

Takes changes, gives new states; `as_dict` and `from_dict` are its form on the disk.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import datetime, timedelta, tzinfo
from enum import StrEnum
from typing import Any, Self

from .delay import DelayMemory
from .dsr import DsrBook, DsrEvent
from .override import Override
from .regulation import MAX_DELAY_S, PRESETS, Cause, Preset, Profile
from .schedule import ClockKind, Schedule, Window
from .window_stop import KeptStop
from .wish import Permission

SCHEMA = 1
# What one word about the power sets.
POWER = frozenset(
    {"owner_mode", "target_kw", "target_previous_kw", "target_at", "target_cause"}
)


class EndDelay(StrEnum):
    """Where the random delay at the end of a window lies."""

    BEFORE_BOUNDARY = "before_boundary"
    AFTER_BOUNDARY = "after_boundary"


class HandOver(StrEnum):
    """What the wallbox is left with when Home Assistant stops."""

    ALLOW = "allow"
    LEAVE = "leave"


class TamperPolicy(StrEnum):
    """What a wallbox does while it is tampered with, from lax to strict."""

    KEEP = "keep"
    LIMIT = "limit"
    STOP = "stop"

    def is_laxer(self, than: TamperPolicy) -> bool:
        """Tell whether more may flow than under another policy."""
        order = list(TamperPolicy)
        return order.index(self) < order.index(than)


@dataclass(frozen=True, kw_only=True, slots=True)
class DefaultHours:
    """The default charging hours; `enabled` off suspends them, the hours are kept.

    Without windows there are none: the owner removed them. `changed_at` is the last
    word about them after the first use, `changed_by` whose it was.
    """

    windows: tuple[Window, ...] = ()
    clock: ClockKind = ClockKind.LOCAL
    preset: Preset | None = None
    enabled: bool = True
    changed_at: datetime | None = None
    changed_by: str | None = None
    changed_by_hand: bool = True

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
            "changed_by": self.changed_by,
            "changed_by_hand": self.changed_by_hand,
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
            changed_by=data.get("changed_by"),
            changed_by_hand=bool(data.get("changed_by_hand", True)),
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class HandedOver:
    """The last time a wallbox was left to itself.

    `waited` tells whether it held back what nobody else would have let go; `allowed`
    whether it was let go then, None where there was nothing to let go.
    """

    at: datetime
    policy: HandOver
    waited: bool
    allowed: bool | None

    def as_dict(self) -> dict[str, Any]:
        """Return plain data."""
        return {
            "at": self.at.isoformat(),
            "policy": self.policy.value,
            "waited": self.waited,
            "allowed": self.allowed,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Read plain data."""
        return cls(
            at=datetime.fromisoformat(data["at"]),
            policy=HandOver(data["policy"]),
            waited=data["waited"],
            allowed=data["allowed"],
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
    # The stop of a window that has come and that no setting takes back.
    kept_stop: KeptStop | None = None
    hand_over: HandOver = HandOver.ALLOW
    handed_over: HandedOver | None = None
    # The least power keeps the charger usable, and little can come to harm by it.
    tamper_policy: TamperPolicy = TamperPolicy.LIMIT
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
    # What protects: a stop, or a limit, and when the last one of either was over.
    blocked: bool = False
    cleared_at: datetime | None = None
    limited: bool = False
    eased_at: datetime | None = None
    # Whether the wallbox was ever seen under these rules.
    seen: bool = False

    def with_max_delay(self, seconds: int, now: datetime) -> Self:
        """Set the longest delay; what runs is only ever shortened."""
        if not 0 <= seconds <= MAX_DELAY_S:
            raise ValueError("max_delay_invalid")
        return replace(self, max_delay_s=seconds, delay=self.delay.clamp(seconds, now))

    def without(self, users: Collection[str]) -> Self:
        """Return the state without some users of Home Assistant; what they did stands.

        That a person did it is kept apart from who it was.
        """

        def left(by: str | None) -> str | None:
            """Return who is left of somebody."""
            return None if by in users else by

        override = self.override and replace(
            self.override,
            by=left(self.override.by),
            ended_by=left(self.override.ended_by),
        )
        events, former = (
            {
                key: replace(event, opted_out_by=left(event.opted_out_by))
                for key, event in known.items()
            }
            for known in (self.dsr.events, self.dsr.former)
        )
        draws = tuple(replace(one, by=left(one.by)) for one in self.delay.draws)
        return replace(
            self,
            hours=replace(self.hours, changed_by=left(self.hours.changed_by)),
            override=override,
            dsr=replace(self.dsr, events=events, former=former),
            delay=replace(self.delay, draws=draws),
        )

    def as_dict(self) -> dict[str, Any]:
        """Return plain data."""
        return {
            "schema": SCHEMA,
            "profile": self.profile_id,
            "hours": self.hours.as_dict(),
            "max_delay_s": self.max_delay_s,
            "end_delay": self.end_delay.value,
            "kept_stop": None if self.kept_stop is None else self.kept_stop.as_dict(),
            "hand_over": self.hand_over.value,
            "handed_over": None
            if self.handed_over is None
            else self.handed_over.as_dict(),
            "tamper_policy": self.tamper_policy.value,
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
            "limited": self.limited,
            "eased_at": _text(self.eased_at),
            "seen": self.seen,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any], profile: Profile) -> Self:
        """Read plain data under a regulation profile."""
        permission, target = data["permission"], data["target"]
        # What older files do not have was not known then either.
        handed_over, kept_stop = data.get("handed_over"), data.get("kept_stop")
        events, former = (
            {event.key: event for event in map(DsrEvent.from_dict, found)}
            for found in (data["dsr"], data.get("dsr_former", ()))
        )
        return cls(
            profile_id=data["profile"],
            hours=DefaultHours.from_dict(data["hours"]),
            max_delay_s=data["max_delay_s"],
            end_delay=EndDelay(data["end_delay"]),
            kept_stop=kept_stop and KeptStop.from_dict(kept_stop),
            hand_over=HandOver(data["hand_over"]),
            handed_over=handed_over and HandedOver.from_dict(handed_over),
            tamper_policy=TamperPolicy(data.get("tamper_policy", TamperPolicy.LIMIT)),
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
            limited=data.get("limited", False),
            eased_at=_instant(data.get("eased_at")),
            seen=data["seen"],
        )


def new_book(profile: Profile) -> DsrBook:
    """Return an empty book of events under a profile."""
    return DsrBook(
        silence=timedelta(seconds=profile.dsr_failsafe_s), floor_kw=profile.dsr_floor_kw
    )


def first_state(profile: Profile, hours: DefaultHours) -> OwnerState:
    """Return the state a wallbox starts with."""
    return OwnerState(
        profile_id=profile.id,
        hours=hours,
        max_delay_s=profile.default_delay_s,
        dsr=new_book(profile),
    )


def undone(now: OwnerState, before: OwnerState, after: OwnerState) -> OwnerState:
    """Return a state without a change, as far as nothing newer stands there.

    A newer word about the power stands as a whole, whatever it shares with the older.
    """
    newer = POWER if now.target_at != after.target_at else frozenset()
    changed = {
        one.name: getattr(before, one.name)
        for one in fields(before)
        if one.name not in newer
        and getattr(before, one.name)
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
