"""The links of one wallbox at work: which are up, and whether one of them was cut.

Looks whenever the wallbox shows something else, and when a silence has lasted long enough
to mean something; keeps on the disk what must outlast a restart. What may go wrong: the
disk takes nothing, then a cut before a restart is noticed anew some minutes after it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import CALLBACK_TYPE, HassJob, HomeAssistant, callback
from homeassistant.helpers.event import async_call_later

from .charging.boundary import Boundary, Sight, Watched
from .charging.variants import VariantFacts
from .clock import seconds
from .const import (
    CONF_DIAGNOSTIC_INPUTS,
    CONF_WALLBOX_ID,
    DOMAIN,
    INPUT_ONLINE,
    INPUT_TAMPER,
    LOGGER,
)
from .internet import internet_of
from .measuring import Measuring
from .meter_settings import MeterSettings, meter_settings
from .miniserver_coordinator import MiniserverCoordinator
from .records.journal import JournalError
from .records.state import StateKeeper
from .rules import state_file
from .saving import Saver
from .tamper_repair import TEXTS, TamperRepair
from .tamper_told import TamperTold

# The owner's own contact, besides the links.
CONTACT = "contact"

type KeptLinks = tuple[StateKeeper, Mapping[str, Any]]


class LinkedWallbox(Protocol):
    """What is needed of a wallbox."""

    config_entry: ConfigEntry[Any]
    subentry_id: str
    title: str
    settings: Mapping[str, Any]
    miniserver: MiniserverCoordinator
    measuring: Measuring

    @property
    def wallbox_id(self) -> str:
        """Return the id of the wallbox block."""

    @property
    def variant(self) -> VariantFacts:
        """Return the facts of the variant the owner chose."""

    @property
    def known(self) -> bool:
        """Tell whether the structure file still has the wallbox."""

    def diagnostic(self, name: str) -> float | None:
        """Return the value of a mapped diagnostic input, None where there is none."""

    def maps(self, name: str) -> bool:
        """Tell whether a diagnostic input is mapped."""

    def async_refresh_state(self) -> None:
        """Look at the wallbox anew."""


@dataclass(frozen=True, kw_only=True, slots=True)
class LinksShown:
    """Which links are up, None where nobody knows; what was cut, what explains it.

    `causes` is how it is known that somebody tampers with the wallbox, `told` what of that
    the security log has, so that the owner may be told.
    """

    internet: bool | None = None
    miniserver: bool = False
    wallbox: bool | None = None
    meter: bool | None = None
    outage: str | None = None
    causes: tuple[str, ...] = ()
    told: tuple[str, ...] = ()


def link_facts(shown: LinksShown) -> dict[str, str]:
    """Return how each link stands, in words."""
    words = {True: "up", False: "lost", None: "unknown"}
    return {
        "internet": words[shown.internet],
        "miniserver": words[shown.miniserver],
        "wallbox": words[shown.wallbox],
        "meter": words[shown.meter],
    }


def links_file(folder: Path, serial: str, wallbox_id: str) -> Path:
    """Return where it is kept how the links of a wallbox were."""
    path = state_file(folder, serial, wallbox_id)
    return path.with_name(path.name.replace(".state.", ".links."))


async def async_load_links(
    hass: HomeAssistant, serial: str, settings: Mapping[str, Any]
) -> KeptLinks:
    """Return where the links of a wallbox are kept, and how they were.

    Nothing where that cannot be read: a damaged file keeps nobody from charging.
    """
    folder = Path(hass.config.path(DOMAIN))
    keeper = StateKeeper(links_file(folder, serial, settings[CONF_WALLBOX_ID]))
    try:
        kept = await hass.async_add_executor_job(keeper.load)
    except JournalError as err:
        LOGGER.error("How the links of a wallbox were could not be read: %s", err)
        kept = None
    return keeper, kept or {}


class Links:
    """Looks at the links of one wallbox."""

    def __init__(
        self, hass: HomeAssistant, wallbox: LinkedWallbox, kept: KeptLinks
    ) -> None:
        """Take the wallbox, and where and how its links were kept."""
        self._hass = hass
        self._wallbox = wallbox
        keeper, known = kept
        self._saver = Saver(hass, keeper, wallbox.title, self._kept)
        self._repair = TamperRepair(hass, wallbox.subentry_id, wallbox.title)
        self._told = TamperTold(
            hass,
            wallbox.miniserver.security,
            wallbox.wallbox_id,
            [cause for cause in known.get("told", ()) if cause in TEXTS],
            wallbox.async_refresh_state,
        )
        found = known.get("boundary") if known.get("of") == self._watched else None
        self.boundary = Boundary()
        if found:
            self.boundary = Boundary.from_dict(found, seconds())
        self._saved: dict[str, Any] | None = None
        # Whose word it was last.
        self.looked_into_by: str | None = None
        # The last test of what happens without us.
        self.fallback: Mapping[str, Any] | None = known.get("fallback")
        self._answered = self._stopped = False
        # No clock of a test need move: what was waited for has come.
        self._reached = 0.0
        self._timer: CALLBACK_TYPE | None = None
        self._wake_at: float | None = None
        self._saved = self._kept() if found else None

    @property
    def causes(self) -> tuple[str, ...]:
        """Return how it is known that somebody tampers with the wallbox."""
        contact = self._wallbox.diagnostic(INPUT_TAMPER)
        links = sorted(breach.value for breach in self.boundary.breaches)
        return (CONTACT, *links) if contact else tuple(links)

    @property
    def tampered(self) -> bool | None:
        """Tell whether somebody tampers with the wallbox, None where nothing tells."""
        if self.causes:
            return True
        links = (self.boundary.wallbox, self.boundary.meter)
        told = self._wallbox.diagnostic(INPUT_TAMPER) is not None
        return False if told or any(link.seen for link in links) else None

    @property
    def guarded(self) -> bool:
        """Tell whether anything there would tell of tampering."""
        box = self._wallbox
        inputs = box.maps(INPUT_TAMPER) or box.maps(INPUT_ONLINE)
        return inputs or box.measuring.has_meter

    @property
    def shown(self) -> LinksShown:
        """Return what is shown of the links."""
        sight, outage = self._sight(), self.boundary.outage
        return LinksShown(
            internet=sight.internet,
            miniserver=self._wallbox.miniserver.available,
            wallbox=sight.wallbox,
            meter=sight.meter,
            outage=None if outage is None else outage.value,
            causes=self.causes,
            told=self._told.causes,
        )

    @callback
    def look(self) -> None:
        """Look at the links, and wake up for what they may turn out to be.

        Not after the stop: what is kept and shown may be a successor's by then.
        """
        if self._stopped:
            return
        now = max(seconds(), self._reached, self.boundary.looked)
        self.boundary = self.boundary.step(self._sight(), now)
        # Of what cannot be seen just now nothing is said.
        if self.tampered is not None:
            self._told.look(self.causes)
        self._repair.report(
            tuple(one for one in self.causes if one in self._told.causes)
        )
        if (kept := self._kept()) != self._saved:
            self._saved = kept
            self._hass.async_create_task(self._saver.async_save(), eager_start=True)
        self._arm(now)

    @callback
    def acknowledge(self, user_id: str | None) -> None:
        """Take the word of a person that what is cut now was looked into."""
        self.looked_into_by = user_id
        self.boundary = self.boundary.acknowledged()
        self._wallbox.async_refresh_state()

    @callback
    def keep_fallback(self, result: Mapping[str, Any]) -> None:
        """Keep what a test came to; it stands until the next one."""
        self.fallback = result
        self.look()

    async def async_stop(self) -> None:
        """Look no longer; may come twice."""
        self._stopped = True
        self._disarm()
        self._told.stop()
        self._saver.stop()
        await self._saver.async_idle()
        self._repair.clear()

    def _kept(self) -> dict[str, Any]:
        """Return what has to outlive a restart, and of which links it is."""
        return {
            "of": self._watched,
            "boundary": self.boundary.as_dict(),
            "fallback": self.fallback,
            "told": list(self._told.causes),
        }

    @property
    def _watched(self) -> list[Any]:
        """Return which links they are: with other settings they begin anew."""
        settings = self._wallbox.settings
        online = settings.get(CONF_DIAGNOSTIC_INPUTS, {}).get(INPUT_ONLINE)
        meter = meter_settings(settings)
        return [online, None if meter is None else [*_gateway(meter), meter.unit_id]]

    def _sight(self) -> Sight:
        """Return what is seen of the links now."""
        box = self._wallbox
        miniserver = box.miniserver.connected
        return Sight(
            miniserver=miniserver,
            restarting=box.miniserver.client.restarted,
            wallbox=self._wallbox_is_there if miniserver and box.known else None,
            meter=self._meter_answers,
            branch_away=_all_away(one.boundary.wallbox for one in self._neighbours),
            gateway_away=_all_away(one.boundary.meter for one in self._on_the_gateway),
            internet=internet_of(self._hass),
            late=box.variant.on_air,
        )

    @property
    def _wallbox_is_there(self) -> bool | None:
        """Tell whether the Miniserver reaches the wallbox, None where nothing tells."""
        online = self._wallbox.diagnostic(INPUT_ONLINE)
        return None if online is None else bool(online)

    @property
    def _meter_answers(self) -> bool | None:
        """Tell whether the meter gives readings, None where there is none.

        It counts as connected before its first answer is missed.
        """
        meter = self._wallbox.measuring.meter
        if meter is None:
            return None
        self._answered = self._answered or meter.shown.power_w is not None
        return self._answered and meter.shown.connected

    @property
    def _neighbours(self) -> Iterator[Links]:
        """Yield the links of the Miniserver's other wallboxes."""
        runtime = getattr(self._wallbox.config_entry, "runtime_data", None)
        for other in () if runtime is None else runtime.wallboxes.values():
            if other.links is not self:
                yield other.links

    @property
    def _on_the_gateway(self) -> Iterator[Links]:
        """Yield the links of those whose meter is behind the same gateway."""
        mine = self._wallbox.measuring.meter
        for other in self._neighbours if mine is not None else ():
            meter = other._wallbox.measuring.meter  # noqa: SLF001 - another one of this class
            if (
                meter is not None
                and mine is not None
                and _gateway(meter.settings) == _gateway(mine.settings)
            ):
                yield other

    def _arm(self, now: float) -> None:
        """Wake up when a silence may become a breach."""
        wake_at = self.boundary.wake_at
        if wake_at == self._wake_at and self._timer is not None:
            return
        self._disarm()
        if wake_at is not None:
            self._wake_at = wake_at
            self._timer = async_call_later(
                self._hass,
                max(0.0, wake_at - now),
                HassJob(partial(self._awake, wake_at), cancel_on_shutdown=True),
            )

    def _disarm(self) -> None:
        """Do not wake up."""
        if self._timer is not None:
            self._timer()
        self._timer = self._wake_at = None

    @callback
    def _awake(self, reached: float, _now: Any) -> None:
        """Look again."""
        self._timer = self._wake_at = None
        self._reached = max(self._reached, reached)
        self._wallbox.async_refresh_state()


def _gateway(meter: MeterSettings) -> list[Any]:
    """Return what a meter shares with others behind the same gateway or line."""
    return [meter.transport.value, meter.host, meter.port, meter.device]


def _all_away(links: Iterator[Watched]) -> float | None:
    """Return since when the last of some links is away, None while one is there.

    Those that were never seen say nothing.
    """
    since = [one.away for one in links if one.seen]
    known = [at for at in since if at is not None]
    return max(known) if since and len(known) == len(since) else None
