"""What a country asks of a smart charge point, one versioned object a rule book.

Source of `gb_2021`: The Electric Vehicles (Smart Charge Points) Regulations 2021 (SI
2021/1467), regulations 9 to 11. `de_14a` follows section 14a of the German Energy
Industry Act where it says something, the rest is our own choice.
"""

from dataclasses import dataclass
from enum import StrEnum

from .schedule import ALL_DAYS, WEEKDAYS, Window

# Regulation 11: a charge point must be capable of delays up to this long.
MAX_DELAY_S = 1800
# The smallest power a grid operator may reduce a charge point to under section 14a.
FLOOR_14A_KW = 4.2
# How long a limit outlasts the word of a grid operator who is not heard any more. Our
# own choice, as the act names none: the shortest failsafe duration that the EEBUS use
# case "Limitation of Power Consumption" lets be set.
FAILSAFE_14A_S = 7200
MINUTES_AN_HOUR = 60


class Cause(StrEnum):
    """Why the rate of charging changes."""

    PLUG_IN = "plug_in"
    DEFAULT_HOURS = "default_hours"
    TARIFF = "tariff"
    DSR = "dsr"
    RECONNECT = "reconnect"
    AUTOMATION = "automation"
    OVERRIDE_END = "override_end"
    CLEARED = "cleared"
    USER = "user"
    SAFETY = "safety"


class Preset(StrEnum):
    """Default charging hours to choose from."""

    GB_NIGHT = "gb_night"
    GB_COMPLEMENT = "gb_complement"


def _hours(days: frozenset[int], start: int, end: int) -> Window:
    """Return a window between full hours."""
    return Window(days=days, start=start * MINUTES_AN_HOUR, end=end * MINUTES_AN_HOUR)


# Regulation 10: peak hours are 8 to 11 and 16 to 22 on weekdays; the text makes no
# exception for bank holidays.
GB_PEAK = (_hours(WEEKDAYS, 8, 11), _hours(WEEKDAYS, 16, 22))

PRESETS: dict[Preset, tuple[Window, ...]] = {
    Preset.GB_NIGHT: (_hours(ALL_DAYS, 22, 8),),
    Preset.GB_COMPLEMENT: (
        _hours(WEEKDAYS, 0, 8),
        _hours(WEEKDAYS, 11, 16),
        _hours(WEEKDAYS, 22, 24),
        _hours(ALL_DAYS - WEEKDAYS, 0, 24),
    ),
}

_AUTOMATIC = frozenset(Cause) - {Cause.USER, Cause.SAFETY}


@dataclass(frozen=True, kw_only=True, slots=True)
class Profile:
    """A rule book; `version` rises with every change of a number."""

    id: str
    version: int
    timezone: str | None
    peak: tuple[Window, ...] = ()
    presets: tuple[Preset, ...] = ()
    first_use_choice: bool = False
    default_delay_s: int = 0
    delayed: frozenset[Cause] = frozenset()
    dsr_floor_kw: float = 0.0
    dsr_failsafe_s: int = 0
    legal_text: bool = False


PROFILES = {
    profile.id: profile
    for profile in (
        Profile(
            id="gb_2021",
            version=1,
            timezone="Europe/London",
            peak=GB_PEAK,
            presets=(Preset.GB_NIGHT, Preset.GB_COMPLEMENT),
            first_use_choice=True,
            default_delay_s=600,
            delayed=_AUTOMATIC,
            legal_text=True,
        ),
        Profile(
            id="de_14a",
            version=2,
            timezone="Europe/Berlin",
            default_delay_s=600,
            delayed=frozenset({Cause.RECONNECT}),
            dsr_floor_kw=FLOOR_14A_KW,
            dsr_failsafe_s=FAILSAFE_14A_S,
            legal_text=True,
        ),
        Profile(id="none", version=1, timezone=None),
    )
}
