"""Follow the entity that tells a wallbox what a kilowatt-hour costs.

Takes its states, now and from the recorder's history, gives prices in the tariff's
currency. What may go wrong: the entity is away, says no number, or has another unit than
it had; then it says nothing, charging goes on and the owner is told.
"""

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from functools import partial

from homeassistant.const import (
    ATTR_UNIT_OF_MEASUREMENT,
    STATE_UNAVAILABLE,
    STATE_UNKNOWN,
)
from homeassistant.core import (
    CALLBACK_TYPE,
    Event,
    EventStateChangedData,
    HomeAssistant,
    State,
    callback,
)
from homeassistant.helpers import issue_registry as ir
from homeassistant.helpers.event import async_track_state_change_event
from homeassistant.helpers.recorder import get_instance

from .charging.money import TariffError
from .charging.price_units import unit_in
from .charging.price_words import Word
from .const import DOMAIN

RECORDER = "recorder"
SILENT = {STATE_UNAVAILABLE, STATE_UNKNOWN}


class PriceFollower:
    """Follows one price entity; `heard` is called when it says something else."""

    def __init__(
        self,
        hass: HomeAssistant,
        entity_id: str,
        currency: str,
        heard: Callable[[], None],
    ) -> None:
        """Take the entity and the currency its prices have to be in."""
        self._hass = hass
        self.entity_id = entity_id
        self._currency = currency
        self._heard = heard
        self._stop: CALLBACK_TYPE | None = async_track_state_change_event(
            hass, entity_id, self._changed
        )

    @callback
    def stop(self) -> None:
        """Follow no longer."""
        if self._stop is not None:
            self._stop()
            self._stop = None

    @callback
    def _changed(self, _event: Event[EventStateChangedData]) -> None:
        """Take what it says now, or that it says nothing any more."""
        self._heard()

    @property
    def silent(self) -> bool:
        """Tell whether the entity says nothing at all."""
        return _is_silent(self._hass.states.get(self.entity_id))

    @property
    def price(self) -> Decimal | None:
        """Return the price of a kWh now, None where nothing can be understood."""
        return self._price_in(self._hass.states.get(self.entity_id))

    def _price_in(self, state: State | None) -> Decimal | None:
        """Return the price that a state tells."""
        if state is None or _is_silent(state):
            return None
        try:
            unit = unit_in(
                state.attributes.get(ATTR_UNIT_OF_MEASUREMENT), self._currency
            )
            return unit.price_of(state.state)
        except TariffError:
            return None

    async def async_history(self, since: datetime, until: datetime) -> list[Word]:
        """Return what it said between two instants, as far as the recorder knows."""
        if RECORDER not in self._hass.config.components:
            return []
        instance = get_instance(self._hass)
        await instance.async_recorder_ready.wait()
        from homeassistant.components.recorder.history import (  # noqa: PLC0415
            state_changes_during_period,
        )

        found = await instance.async_add_executor_job(
            partial(
                state_changes_during_period,
                self._hass,
                since,
                until,
                self.entity_id,
                include_start_time_state=True,
            )
        )
        return [
            Word(at=state.last_updated, per_kwh=self._price_in(state))
            for state in found.get(self.entity_id, [])
        ]


def _is_silent(state: State | None) -> bool:
    """Tell whether a state says nothing."""
    return state is None or state.state in SILENT


class PriceRepair:
    """Tells the owner of a price source that says nothing, and takes it back."""

    def __init__(self, hass: HomeAssistant, subentry_id: str, title: str) -> None:
        """Take the wallbox."""
        self._hass = hass
        self._issue_id = f"price_source_{subentry_id}"
        self._title = title
        self._raised: str | None = None

    @callback
    def report(self, follower: PriceFollower, currency: str) -> None:
        """Tell what is wrong with a source."""
        silent = follower.silent
        key = "price_source_silent" if silent else "price_source_unusable"
        if key == self._raised:
            return
        self._raised = key
        placeholders = {
            "wallbox": self._title,
            "entity": follower.entity_id,
            "currency": currency,
        }
        ir.async_create_issue(
            self._hass,
            DOMAIN,
            self._issue_id,
            is_fixable=False,
            severity=ir.IssueSeverity.WARNING,
            translation_key=key,
            translation_placeholders=placeholders,
        )

    @callback
    def clear(self) -> None:
        """Take it back."""
        if self._raised is not None:
            self._raised = None
            ir.async_delete_issue(self._hass, DOMAIN, self._issue_id)
