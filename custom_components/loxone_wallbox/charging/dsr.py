"""Demand side response: what was asked for, and what of it holds at an instant.

Takes events from any source, gives the limit in force. The book is plain data: every
change returns a new one, and a wrong event raises `DsrError` and changes nothing.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
import math
from typing import Any, Self

# An event is for a few hours; longer ones are mistakes or a way to block a charger.
MAX_LENGTH = timedelta(hours=24)
MAX_LIMIT_KW = 100.0
MAX_TEXT = 120
# Ended events stay for the owner to look at.
KEEP_ENDED = timedelta(days=7)
# An event whose source has fallen silent is let go.
LET_GO = timedelta(0)
INSTANTS = frozenset(
    {"start", "end", "heard_at", "taken_at", "opted_out_at", "cancelled_at"}
)


class DsrError(ValueError):
    """An event that cannot be taken; `key` names the reason for a translation."""

    def __init__(self, key: str) -> None:
        """Keep the reason."""
        super().__init__(key)
        self.key = key


class DsrKind(StrEnum):
    """What an event asks for."""

    LIMIT = "limit"
    PAUSE = "pause"
    INCREASE = "increase"


@dataclass(frozen=True, kw_only=True, slots=True)
class DsrEvent:
    """One event; instants in UTC, `limit_kw` only for a limit.

    `validity_s` is how long the word of its source holds without being repeated;
    `heard_at` when it was last heard, `taken_at` when this version was taken: it can
    have no effect before. `site`: the limit is one of all wallboxes together. A person
    who opts out may have no user, so `opted_out_by_hand` is kept apart.
    """

    event_id: str
    start: datetime
    end: datetime
    kind: DsrKind
    heard_at: datetime
    source: str = ""
    program: str = ""
    limit_kw: float | None = None
    response_service: bool = False
    already_randomised: bool = False
    priority: int = 50
    reward_per_kwh: float | None = None
    site: bool = False
    validity_s: int | None = None
    version: int = 1
    taken_at: datetime | None = None
    opted_out_at: datetime | None = None
    opted_out_by: str | None = None
    opted_out_by_hand: bool = False
    cancelled_at: datetime | None = None

    def __post_init__(self) -> None:
        """Refuse what makes no sense."""
        checks = (
            (not self.event_id or len(self.event_id) > MAX_TEXT, "dsr_id_invalid"),
            (max(len(self.source), len(self.program)) > MAX_TEXT, "dsr_text_too_long"),
            (self.start.tzinfo is None or self.end.tzinfo is None, "dsr_time_naive"),
            (self.kind is DsrKind.LIMIT and self.limit_kw is None, "dsr_limit_missing"),
            (not self._limit_is_sane(), "dsr_limit_invalid"),
            (not 0 <= self.priority <= 100, "dsr_priority_invalid"),  # noqa: PLR2004
            (not _is_number(self.reward_per_kwh), "dsr_reward_invalid"),
            (not _is_number(self.version), "dsr_version_invalid"),
            (
                self.validity_s is not None
                and not 0 < self.validity_s <= MAX_LENGTH.total_seconds(),
                "dsr_validity_invalid",
            ),
        )
        for wrong, key in checks:
            if wrong:
                raise DsrError(key)
        if self.end <= self.start:
            raise DsrError("dsr_end_before_start")
        if self.end - self.start > MAX_LENGTH:
            raise DsrError("dsr_too_long")

    def _limit_is_sane(self) -> bool:
        """Tell whether the limit is a power."""
        limit = self.limit_kw
        return limit is None or (math.isfinite(limit) and 0 <= limit <= MAX_LIMIT_KW)

    @property
    def key(self) -> tuple[str, str]:
        """Return what makes two events versions of the same one."""
        return (self.program, self.event_id)

    @property
    def exempt(self) -> bool:
        """Tell whether it acts without a random delay (regulation 11)."""
        return self.response_service or self.already_randomised

    @property
    def reduces(self) -> bool:
        """Tell whether it only takes away."""
        return self.kind is not DsrKind.INCREASE

    @property
    def effective_start(self) -> datetime:
        """Return when it begins: as planned, or late when it was heard of late."""
        return self.start if self.taken_at is None else max(self.start, self.taken_at)

    def silent_from(self, silence: timedelta) -> datetime | None:
        """Return when its source was silent for too long, None where it never is.

        `silence` is how much longer than its word a silent source is believed.
        """
        if self.validity_s is None:
            return None
        return self.heard_at + timedelta(seconds=self.validity_s) + silence

    def effective_end(self, silence: timedelta) -> datetime:
        """Return when it ends: opted out, cancelled, fallen silent or as planned."""
        ends = [self.end]
        if (silent := self.silent_from(silence)) is not None:
            ends.append(silent)
        ends += [at for at in (self.opted_out_at, self.cancelled_at) if at is not None]
        return max(min(ends), self.start)

    def is_active(self, at: datetime, silence: timedelta) -> bool:
        """Tell whether it holds at an instant."""
        # Mostly it is far off, which is told without more; it never lasts beyond its end.
        if not self.start <= at < self.end:
            return False
        return self.effective_start <= at < self.effective_end(silence)

    def is_told_again_by(self, other: Self) -> bool:
        """Tell whether another is this version with the same content."""
        return self.cancelled_at is None and other == replace(
            self,
            heard_at=other.heard_at,
            taken_at=other.taken_at,
            opted_out_at=other.opted_out_at,
            opted_out_by=other.opted_out_by,
            opted_out_by_hand=other.opted_out_by_hand,
            cancelled_at=None,
        )

    def limit(self, floor_kw: float) -> float:
        """Return the power a reduction leaves, at least the profile's floor, in kW."""
        asked = self.limit_kw if self.kind is DsrKind.LIMIT else 0.0
        return max(asked or 0.0, floor_kw)

    def as_dict(self) -> dict[str, Any]:
        """Return plain data."""
        return {
            name: value.isoformat() if isinstance(value, datetime) else value
            for name, value in asdict(self).items()
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Read plain data."""
        fields: dict[str, Any] = {
            name: datetime.fromisoformat(value) if name in INSTANTS and value else value
            for name, value in data.items()
        }
        fields["kind"] = DsrKind(fields["kind"])
        # Older files name only the user.
        fields.setdefault("opted_out_by_hand", fields.get("opted_out_by") is not None)
        return cls(**fields)


def _is_number(number: float | None) -> bool:
    """Tell whether a number, where there is one, is neither endless nor none at all.

    Compared, because a whole number may be too long for `math.isfinite`.
    """
    return number is None or -math.inf < number < math.inf


@dataclass(frozen=True, kw_only=True, slots=True)
class DsrBook:
    """All events that are known, by program and id.

    `shares` are what a wallbox may draw in kW of the limits of the whole site. `former`
    are the versions that a newer one replaced while they held, with their end: what
    they asked for until then is still asked of the past. `silence` is how long an event
    is kept to after the word of a source that says nothing more has run out.
    """

    silence: timedelta = LET_GO
    floor_kw: float = 0.0
    events: Mapping[tuple[str, str], DsrEvent] = field(default_factory=dict)
    shares: Mapping[tuple[str, str], float] = field(default_factory=dict)
    former: Mapping[tuple[str, str], DsrEvent] = field(default_factory=dict)

    def add(self, event: DsrEvent, now: datetime) -> Self:
        """Take an event, or a newer version of one.

        The known version told again is its source's heartbeat; after a silence that
        has ended it, it begins anew. Raises `DsrError` for one that is over or not newer
        than what is known.
        """
        if event.end <= now:
            raise DsrError("dsr_is_over")
        known = self.events.get(event.key)
        if known is not None and known.is_told_again_by(event):
            silent = known.silent_from(self.silence)
            if silent is None or now < silent:
                return self.heard(event.key, now)
        elif known is not None and event.version <= known.version:
            raise DsrError("dsr_version_not_newer")
        event = replace(event, taken_at=now)
        if known is not None and known.opted_out_at is not None:
            # The owner's word outlives a new version of what it was about.
            event = replace(
                event,
                opted_out_at=known.opted_out_at,
                opted_out_by=known.opted_out_by,
                opted_out_by_hand=known.opted_out_by_hand,
            )
        former = self.former if known is None else self._former_with(known, now)
        return replace(self._with(event), former=former)

    def _former_with(
        self, known: DsrEvent, now: datetime
    ) -> Mapping[tuple[str, str], DsrEvent]:
        """Return the former versions with one that is replaced now, if it ever held."""
        ended = known
        if known.cancelled_at is None or known.cancelled_at > now:
            ended = replace(known, cancelled_at=now)
        if ended.effective_start >= ended.effective_end(self.silence):
            return self.former
        return {**self.former, known.key: ended}

    def heard(self, key: tuple[str, str], now: datetime) -> Self:
        """Take note that the source still says so."""
        return self._with(replace(self._get(key), heard_at=now))

    def cancel(self, key: tuple[str, str], now: datetime) -> Self:
        """Call an event off."""
        event = self._get(key)
        if event.effective_end(self.silence) <= now:
            raise DsrError("dsr_is_over")
        return self._with(replace(event, cancelled_at=now))

    def opt_out(
        self,
        now: datetime,
        by: str | None,
        *,
        by_hand: bool,
        keys: Iterable[tuple[str, str]] | None = None,
    ) -> Self:
        """Let the owner leave events: those named, else every one that holds now.

        `by_hand` is a person's own act, with or without a user. Raises `DsrError` where
        there is none.
        """
        if keys is None:
            keys = [event.key for event in self.active(now)]
        book = self
        for key in keys:
            left = replace(
                self._get(key),
                opted_out_at=now,
                opted_out_by=by,
                opted_out_by_hand=by_hand,
            )
            book = book._with(left)
        if book is self:
            raise DsrError("dsr_nothing_active")
        return book

    def prune(self, now: datetime) -> Self:
        """Forget events that ended long ago."""
        return self._only(lambda one: one.end > now - KEEP_ENDED)

    def active(self, at: datetime) -> Iterable[DsrEvent]:
        """Return the events that hold at an instant."""
        return (
            event
            for event in (*self.events.values(), *self.former.values())
            if event.is_active(at, self.silence)
        )

    def reduction(self, at: datetime, *, exempt: bool | None = None) -> float | None:
        """Return the lowest limit of the reductions in force, None without any.

        `exempt` picks those that act without a delay, or those that do not.
        """
        limits = [
            self._left_by(event)
            for event in self.active(at)
            if event.reduces and exempt in {None, event.exempt}
        ]
        return min(limits, default=None)

    def left_behind(self, since: datetime, now: datetime) -> float | None:
        """Return the lowest limit in kW of what acted without a delay and is over.

        Only of reductions that held until `since` or later; what the owner left is
        not one. None without any.
        """
        limits = [
            self._left_by(event)
            for event in (*self.events.values(), *self.former.values())
            if event.reduces
            and event.exempt
            and event.effective_start < event.effective_end(self.silence)
            and since <= event.effective_end(self.silence) <= now
            and event.opted_out_at != event.effective_end(self.silence)
        ]
        return min(limits, default=None)

    def _left_by(self, event: DsrEvent) -> float:
        """Return what a reduction leaves this wallbox in kW, never below the floor."""
        share = self.shares.get(event.key)
        return (
            event.limit(self.floor_kw) if share is None else max(share, self.floor_kw)
        )

    def site_limits(self, at: datetime) -> Iterable[DsrEvent]:
        """Return the limits of the whole site that are not over at an instant."""
        return (
            event
            for event in self.events.values()
            if event.site
            and event.kind is DsrKind.LIMIT
            and at < event.effective_end(self.silence)
        )

    def without_site_limits(self) -> Self:
        """Return the book as it is for this wallbox alone."""
        own = self._only(lambda one: not (one.site and one.kind is DsrKind.LIMIT))
        return replace(own, shares={})

    def without_exempt_increases(self) -> Self:
        """Return the book without what asks for more and acts without a delay."""
        return self._only(lambda one: one.reduces or not one.exempt)

    def without_exempt_reductions(self) -> Self:
        """Return the book without what takes away and acts without a delay."""
        return self._only(lambda one: not (one.reduces and one.exempt))

    def increases(self, at: datetime) -> bool:
        """Tell whether charging is asked for outside the default hours."""
        return any(not event.reduces for event in self.active(at))

    def starts_at_once(self, at: datetime, since: datetime) -> bool:
        """Tell whether a start that is due since an instant needs no delay.

        It needs none while a response service asks for more, nor where somebody else's
        delay has ended with it or after it (exclusions ii and iii of regulation 11).
        """
        return any(
            event.response_service
            or (event.already_randomised and event.effective_start >= since)
            for event in self.active(at)
            if not event.reduces
        )

    def edges(self, since: datetime) -> Iterable[tuple[datetime, DsrEvent]]:
        """Return every start and end with its event, of those not over by then."""
        for event in (*self.events.values(), *self.former.values()):
            if event.end < since:
                continue
            yield event.effective_start, event
            yield event.effective_end(self.silence), event

    def _get(self, key: tuple[str, str]) -> DsrEvent:
        """Return an event that is known."""
        try:
            return self.events[key]
        except KeyError:
            raise DsrError("dsr_unknown") from None

    def _only(self, wanted: Callable[[DsrEvent], bool]) -> Self:
        """Return the book with the events that are wanted."""
        events, former = (
            {key: one for key, one in known.items() if wanted(one)}
            for known in (self.events, self.former)
        )
        return replace(self, events=events, former=former)

    def _with(self, event: DsrEvent) -> Self:
        """Return the book with an event in it."""
        return replace(self, events={**self.events, event.key: event})
