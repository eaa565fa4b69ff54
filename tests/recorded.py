"""What a wallbox has recorded, as tests look at it."""

from pathlib import Path
from typing import Any

from homeassistant.core import Event, EventStateChangedData, HomeAssistant, callback
from homeassistant.helpers.event import async_track_state_change_event

from .helpers import entity_id
from custom_components.loxone_wallbox.charging.session import SessionRecord
from custom_components.loxone_wallbox.history import ledger_of
from custom_components.loxone_wallbox.records.journal import Journal
from custom_components.loxone_wallbox.records.ledger import Ledger
from simulator import Simulator


class Recorded:
    """The sessions of a wallbox: what was told, and what is on the disk."""

    def __init__(self, hass: HomeAssistant, simulator: Simulator, box: int = 0) -> None:
        """Listen from now on."""
        self._hass = hass
        self._uuid = simulator.wallboxes[box].uuid
        self._serial = simulator.config.serial
        self.told: list[dict[str, Any]] = []
        async_track_state_change_event(
            hass, entity_id(hass, simulator, "session", box), self._happened
        )

    @property
    def ledger(self) -> Ledger:
        """Return the ledger."""
        return ledger_of(self._hass, self._serial, self._uuid)

    @property
    def kinds(self) -> list[str]:
        """Return what was told, in its order."""
        return [str(one["event_type"]) for one in self.told]

    async def records(self) -> list[SessionRecord]:
        """Return the sessions of all months; none breaks a rule of its own."""

        def read() -> list[SessionRecord]:
            """Read them."""
            ledger = self.ledger
            found = [
                one for month in ledger.months() for one in ledger.month(month).records
            ]
            for record in found:
                record.check()
            return found

        await self._hass.async_block_till_done()
        return await self._hass.async_add_executor_job(read)

    async def lines(self) -> list[str]:
        """Return at which changes lines were written, in their order."""

        def read() -> list[str]:
            """Read the files as they are."""
            folder = Path(self._hass.config.path("loxone_wallbox"))
            files = sorted(folder.rglob("*.sessions.????-??.jsonl"))
            lines = [line for file in files for line in Journal(file).read().records]
            return [str(line["at"]) for line in lines]

        return await self._hass.async_add_executor_job(read)

    @callback
    def _happened(self, event: Event[EventStateChangedData]) -> None:
        """Take note of an event that was told."""
        new, old = event.data["new_state"], event.data["old_state"]
        if new is None or new.state in {"unknown", "unavailable"}:
            return
        if old is None or new.attributes != old.attributes:
            self.told.append(dict(new.attributes))
