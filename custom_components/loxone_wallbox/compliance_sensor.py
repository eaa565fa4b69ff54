"""Whether a wallbox meets its regulation, by what is known without counting."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, override

from homeassistant.components.sensor import (
    SensorDeviceClass,
    SensorEntity,
    SensorEntityDescription,
)
from homeassistant.const import EntityCategory
from homeassistant.core import Event, HassJob, callback
from homeassistant.helpers import issue_registry as ir
from homeassistant.helpers.event import async_call_later, async_track_time_interval

from .charging.alerting import AlertKind
from .const import DOMAIN
from .coordinator import WallboxCoordinator
from .entity import WallboxEntity
from .evidence import facts_of
from .ledger_repair import is_damaged
from .records.compliance import Report, State
from .records.compliance_rows import report_of
from .security_repair import broken_issue

# Nothing tells of everything that a report looks at.
LOOK_EVERY = timedelta(hours=1)
# By then what was kept is read again; alerts wait longer for it.
LOOK_AGAIN = timedelta(minutes=2)
# Of these the owner is told anyway, and they come and go.
TOLD_ELSEWHERE = frozenset({"R5a", "S3b"})

COMPLIANCE = SensorEntityDescription(
    key="compliance_status",
    device_class=SensorDeviceClass.ENUM,
    entity_category=EntityCategory.DIAGNOSTIC,
    options=[state.value for state in State],
)


class ComplianceSensor(WallboxEntity, SensorEntity):
    """How a wallbox stands, there also while it cannot be reached."""

    def __init__(self, coordinator: WallboxCoordinator) -> None:
        """Take the wallbox."""
        super().__init__(coordinator, COMPLIANCE)
        self._report: Report | None = None
        self._seen: tuple[Any, ...] | None = None

    @property
    @override
    def available(self) -> bool:
        """Stay there: what is missing is missing without a link, too."""
        return True

    @property
    @override
    def native_value(self) -> str | None:
        """Return how the wallbox stands."""
        return None if self._report is None else self._report.state.value

    @property
    @override
    def extra_state_attributes(self) -> Mapping[str, Any]:
        """Return which requirements need attention."""
        failing = () if self._report is None else self._report.failing
        return {"failing": list(failing)}

    @override
    async def async_added_to_hass(self) -> None:
        """Look now, soon again, whenever something changes, and each hour."""
        await super().async_added_to_hass()
        self._look()
        wallbox, bus = self.coordinator, self.hass.bus
        for stop in (
            bus.async_listen(
                ir.EVENT_REPAIRS_ISSUE_REGISTRY_UPDATED, self._repair_changed
            ),
            wallbox.miniserver.news.async_add_listener(self._handle_coordinator_update),
            wallbox.delivering.listen(lambda _record: self._show()),
            async_call_later(
                self.hass,
                LOOK_AGAIN,
                HassJob(self._time_passed, cancel_on_shutdown=True),
            ),
        ):
            self.async_on_remove(stop)
        self.async_on_remove(
            async_track_time_interval(
                self.hass, self._time_passed, LOOK_EVERY, cancel_on_shutdown=True
            )
        )

    @callback
    @override
    def _handle_coordinator_update(self) -> None:
        """Look again where something changed that counts; power comes every second."""
        if self._sight != self._seen:
            self._show()

    @callback
    def _repair_changed(self, event: Event[ir.EventIssueRegistryUpdatedData]) -> None:
        """Look again where a repair of ours was raised or taken back."""
        if event.data["domain"] == DOMAIN:
            self._handle_coordinator_update()

    @callback
    def _time_passed(self, _now: datetime) -> None:
        """Look again."""
        self._show()

    def _show(self) -> None:
        """Look, and show what is seen."""
        before = self._report
        self._look()
        now = self._report
        if before is None or now is None or _stands(before) != _stands(now):
            self.async_write_ha_state()

    def _look(self) -> None:
        """Look at all that is known, and tell what the owner should know of it."""
        self._seen = self._sight
        self._report = report = report_of(facts_of(self.hass, self.coordinator))
        failing = report.failing_but(TOLD_ELSEWHERE)
        applies = report.state is not State.NOT_APPLICABLE
        state = State.ATTENTION if failing else State.OK
        self.coordinator.async_alert(
            AlertKind.COMPLIANCE_CHANGED,
            {
                "status": state.value if applies else report.state.value,
                "failing": list(failing),
            },
        )

    @property
    def _sight(self) -> tuple[Any, ...]:
        """Return what counts of what changes by itself."""
        wallbox, data = self.coordinator, self.coordinator.data
        meter, registry = wallbox.meter, ir.async_get(self.hass)
        issues = (
            broken_issue(wallbox.miniserver.serial),
            f"hours_in_peak_{wallbox.subentry_id}",
        )
        return (
            data.owner,
            data.info,
            data.tampered,
            wallbox.links.fallback,
            wallbox.miniserver.pulses.proven,
            wallbox.miniserver.security.failing,
            wallbox.miniserver.firmware,
            wallbox.miniserver.news.newest,
            data.energy_source,
            wallbox.linked,
            meter and (bool(meter.coverage), meter.just_begun),
            meter and meter.settings.refresh_s,
            meter and tuple(one.kind for one in meter.findings),
            *(registry.async_get_issue(DOMAIN, one) for one in issues),
            is_damaged(self.hass, wallbox.miniserver.serial, wallbox.wallbox_id),
        )


def _stands(report: Report) -> tuple[State, tuple[str, ...]]:
    """Return what is shown of a report."""
    return report.state, report.failing
