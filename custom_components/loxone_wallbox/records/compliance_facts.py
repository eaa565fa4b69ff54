"""What is known of one wallbox for its compliance report: plain data, no devices.

Whoever collects it fills what it can; None is what nobody knows. Powers and energies are
in their names, shares are 0 to 1, instants in UTC.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from statistics import fmean

from ..charging.delay import Draw
from ..charging.session import Source

# The draws are shown in so many equal parts of the longest delay.
PARTS = 6


@dataclass(frozen=True, kw_only=True, slots=True)
class Draws:
    """What came of the last random delays, in seconds.

    `seconds` are the draws themselves, the oldest first, `parts` is how many lie in each sixth of the longest delay, `outcomes` how many were
    applied, skipped, cancelled and superseded.
    """

    seconds: tuple[int, ...]
    count: int
    least_s: int
    mean_s: float
    most_s: int
    parts: tuple[int, ...]
    outcomes: Mapping[str, int]


def draws_of(draws: tuple[Draw, ...], longest_s: int) -> Draws | None:
    """Return the distribution of draws, None without any.

    What waited for nothing that was drawn, as where somebody else delays, is none. The
    parts reach from zero to the longest delay, or to the longest draw where that was
    made under a longer one.
    """
    # A car that was plugged out and in again has waited twice for the same draw.
    draws = tuple({one.relevant_time_id: one for one in draws if one.drawn}.values())
    if not draws:
        return None
    seconds = [one.drawn_s for one in draws]
    longest = max(longest_s, *seconds, 1)
    parts = [0] * PARTS
    outcomes: dict[str, int] = {}
    for one in draws:
        parts[min(one.drawn_s * PARTS // longest, PARTS - 1)] += 1
        outcomes[one.outcome.value] = outcomes.get(one.outcome.value, 0) + 1
    return Draws(
        seconds=tuple(seconds),
        count=len(seconds),
        least_s=min(seconds),
        mean_s=round(fmean(seconds), 1),
        most_s=max(seconds),
        parts=tuple(parts),
        outcomes=outcomes,
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class LinkFacts:
    """How the wallbox is reached, and what is left of it without us.

    `fallback` is what the last test of that came to: passed, failed or inconclusive, or
    unmeasured where that is why nothing could be told. `newest_firmware` is known only
    where the owner lets it be asked for, which is what `asks_for_firmware` says.
    `handed_over_allowed` is whether the wallbox was let go at the last stop, None where it
    held nothing back.
    """

    linked: bool
    writable: bool
    tls: bool
    verified: bool
    password_weak: bool | None = None
    password_kept: bool = False
    user_is_admin: bool | None = None
    firmware: str = ""
    newest_firmware: str | None = None
    asks_for_firmware: bool = False
    hand_over_allows: bool = True
    handed_over_at: datetime | None = None
    handed_over_allowed: bool | None = None
    watchdog: bool = False
    fallback_tested_at: str | None = None
    fallback: str | None = None
    tamper_seen_by: tuple[str, ...] = ()
    tamper_policy: str = ""
    tampered: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class RuleFacts:
    """What the owner set: hours, delay, grid events, rights.

    `hours` are the windows in words, `peak` those that reach into it. `delays_by` is
    who draws the random delay; `exempt_since` since when another one is named for that.
    """

    hours: tuple[str, ...] = ()
    hours_on: bool = True
    peak: tuple[str, ...] = ()
    in_peak: tuple[str, ...] = ()
    first_choice: str | None = None
    first_choice_at: str | None = None
    hours_decided: bool = False
    under_agreement: bool = False
    zone: str = ""
    zone_deviates: bool = False
    days_off_deviate: bool = False
    delays_by: str = "home_assistant"
    exempt_since: str | None = None
    plug_in_delayed: bool = True
    max_delay_s: int = 0
    usual_delay_s: int = 0
    draws: Draws | None = None
    events_known: int = 0
    event_sources: int = 0
    outcomes: Mapping[str, int] = field(default_factory=dict)
    tariff: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class MeasuringFacts:
    """Who measures, how well, and what of it is kept.

    A meter is asked each `every_s` seconds and measures anew each `refresh_s`, None
    where that is not proven. `coverage` is the share of the last hour's readings that came;
    while it has `just_begun`, that there are none says nothing. `findings` are what is
    wrong with the meter now; `errors_pct` by how much the power was off in the last
    sessions. Of the history: since when, the last twelve months, and whether some of
    what is kept cannot be read, or nobody can tell.
    """

    source: Source
    coverage: float | None = None
    just_begun: bool = False
    every_s: float | None = None
    refresh_s: float | None = None
    errors_pct: tuple[float, ...] = ()
    findings: tuple[str, ...] = ()
    retention_months: int = 0
    first_session: str | None = None
    sessions: int | None = None
    energy_kwh: float | None = None
    charging_h: float | None = None
    sessions_damaged: bool = False
    sessions_unread: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class SecurityFacts:
    """What the security log and its neighbours say.

    `log_records` is how many were looked at, None where nobody looked; `log_broken` is
    the first that is not as it was written; `log_unread` that the disk gave nothing of
    it, or took nothing for it, the last time. `recorded` is how many there are of a kind.
    """

    log_broken: int | None = None
    log_unread: bool = False
    log_records: int | None = None
    recorded: Mapping[str, int] = field(default_factory=dict)
    people_deletable: bool = False
    support_until: str = ""
    report_at: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Facts:
    """All that is known of a wallbox under its regulation profile."""

    profile: str
    profile_version: int
    # A simulated wallbox is never reported as anything else.
    demonstration: bool
    link: LinkFacts
    rules: RuleFacts
    measuring: MeasuringFacts
    security: SecurityFacts
