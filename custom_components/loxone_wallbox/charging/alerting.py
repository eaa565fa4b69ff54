"""Which alerts are told, so that none repeats itself within half an hour.

Takes news, and conditions that last, with the instants at which they are looked at;
gives what is to be told and what is to be remembered. A condition that comes and goes is
told once; where it stands otherwise when the half hour is over, that is told then. Plain
data: what was told outlives a restart.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Self

# No alert repeats itself within this time.
QUIET = timedelta(minutes=30)
# What is told once for good, as the end of a session, is remembered for so long.
KEPT = timedelta(days=62)
MOST_KEPT = 100


class AlertKind(StrEnum):
    """What the owner is told of."""

    PLUGGED_IN_PEAK = "plugged_in_peak"
    RANDOM_DELAY = "random_delay"
    CHARGE_FINISHED = "charge_finished"
    DSR_SOON = "dsr_soon"
    DSR_RESULT = "dsr_result"
    LINK_LOST = "link_lost"
    LINK_RESTORED = "link_restored"
    TAMPER = "tamper"
    TAMPER_CLEARED = "tamper_cleared"
    LOGIN_FAILURES = "login_failures"
    FIRMWARE_CHANGED = "firmware_changed"
    FIRMWARE_AVAILABLE = "firmware_available"
    COMMAND_FAILED = "command_failed"
    METER_BREAK = "meter_break"
    MONTHLY_SUMMARY = "monthly_summary"
    COMPLIANCE_CHANGED = "compliance_changed"


@dataclass(frozen=True, kw_only=True, slots=True)
class News:
    """Something that happened; `once` is told a single time for all that it is about."""

    kind: AlertKind
    about: str = ""
    once: bool = False
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class Condition:
    """Something that lasts: its value now, and what is told when that is new.

    Without a `kind` the change is taken note of and nothing is told. `usual` is what it
    was as long as nobody has said anything else, None where the first look decides.
    """

    name: str
    value: str
    kind: AlertKind | None
    usual: str | None = None
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class AlertMemory:
    """When what was told last, and how each condition stood when it was."""

    told: Mapping[str, datetime] = field(default_factory=dict)
    stands: Mapping[str, str] = field(default_factory=dict)

    def take(self, news: News, now: datetime) -> Self | None:
        """Return the memory with news that are to be told, None where they are not."""
        key = f"{news.kind}|{news.about}"
        if (news.once and key in self.told) or self._is_quiet(key, now):
            return None
        return self._with(key, now)

    def settle(self, condition: Condition, now: datetime) -> tuple[Self, bool]:
        """Return the memory with a condition, and whether that is to be told."""
        stands = self.stands.get(condition.name, condition.usual)
        if stands == condition.value:
            return self, False
        memory = replace(self, stands={**self.stands, condition.name: condition.value})
        if stands is None or condition.kind is None:
            return memory, False
        key = f"{condition.kind}|{condition.name}"
        if self._is_quiet(key, now):
            return self, False
        return memory._with(key, now), True  # noqa: SLF001

    def due(self, condition: Condition, now: datetime) -> datetime | None:
        """Return when a condition that is not told yet may be, None where none waits."""
        stands = self.stands.get(condition.name, condition.usual)
        told = self.told.get(f"{condition.kind}|{condition.name}")
        if condition.value == stands or told is None or now < told:
            return None
        return told + QUIET

    def _is_quiet(self, key: str, now: datetime) -> bool:
        """Tell whether something was told lately; a clock set back ends that."""
        told = self.told.get(key)
        return told is not None and timedelta(0) <= now - told < QUIET

    def _with(self, key: str, now: datetime) -> Self:
        """Return the memory with something told, without what is too old or too much."""
        told = {**self.told, key: now}
        young = sorted(
            ((at, one) for one, at in told.items() if now - at < KEPT), reverse=True
        )
        return replace(self, told={one: at for at, one in young[:MOST_KEPT]})

    def as_dict(self) -> dict[str, Any]:
        """Return plain data."""
        told = {key: at.isoformat() for key, at in self.told.items()}
        return {"told": told, "stands": dict(self.stands)}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Read plain data."""
        told = {key: datetime.fromisoformat(at) for key, at in data["told"].items()}
        return cls(told=told, stands=dict(data["stands"]))
