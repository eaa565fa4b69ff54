"""Use the repository's blueprints in a Home Assistant, with phones and a calendar."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
import shutil
from typing import Any

from pytest_homeassistant_custom_component.common import MockConfigEntry

from homeassistant.components.automation.config import AUTOMATION_BLUEPRINT_SCHEMA
from homeassistant.components.blueprint import BLUEPRINT_SCHEMA, Blueprint
from homeassistant.components.calendar import CalendarEvent
from homeassistant.core import HomeAssistant, ServiceCall, callback
from homeassistant.helpers import device_registry as dr
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util, yaml as yaml_util

from .dsr_stage import CALENDAR, SavingSessions
from custom_components.loxone_wallbox.const import DOMAIN

FOLDER = Path(__file__).parents[1] / "blueprints"
AUTOMATION = "automation.of_the_blueprint"
ANSWER = "mobile_app_notification_action"
CLEAR = "clear_notification"
SCHEMAS: dict[str, Any] = {
    "automation": AUTOMATION_BLUEPRINT_SCHEMA,
    "script": BLUEPRINT_SCHEMA,
}


def blueprints() -> list[Path]:
    """Return all blueprints of the repository."""
    return sorted(FOLDER.rglob("*.yaml"))


def load_blueprint(path: Path) -> Blueprint:
    """Load a blueprint as Home Assistant does; raises for one that is wrong."""
    domain = path.relative_to(FOLDER).parts[0]
    return Blueprint(
        yaml_util.load_yaml_dict(path),
        path=str(path),
        expected_domain=domain,
        schema=SCHEMAS[domain],
    )


async def use(hass: HomeAssistant, name: str, **inputs: Any) -> None:
    """Make an automation of a blueprint, which has to become a working one."""
    target = Path(hass.config.path("blueprints", "automation", DOMAIN))
    await hass.async_add_executor_job(
        shutil.copytree, FOLDER / "automation" / DOMAIN, target
    )
    config = {
        "id": "blueprint",
        "alias": AUTOMATION.partition(".")[2].replace("_", " "),
        "use_blueprint": {"path": f"{DOMAIN}/{name}.yaml", "input": inputs},
    }
    assert await async_setup_component(hass, "automation", {"automation": [config]})
    await hass.async_block_till_done()
    state = hass.states.get(AUTOMATION)
    assert state is not None
    assert state.state == "on"


async def use_script(hass: HomeAssistant, name: str, **inputs: Any) -> str:
    """Make a script of a blueprint, which has to become a working one; return its id."""
    target = Path(hass.config.path("blueprints", "script", DOMAIN))
    await hass.async_add_executor_job(
        shutil.copytree, FOLDER / "script" / DOMAIN, target
    )
    config = {
        name: {"use_blueprint": {"path": f"{DOMAIN}/{name}.yaml", "input": inputs}}
    }
    assert await async_setup_component(hass, "script", {"script": config})
    await hass.async_block_till_done()
    state = hass.states.get(f"script.{name}")
    assert state is not None
    assert state.state == "off"
    return state.entity_id


def running(hass: HomeAssistant) -> int:
    """Return how many runs of the automation are under way."""
    state = hass.states.get(AUTOMATION)
    assert state is not None
    runs: int = state.attributes["current"]
    return runs


def triggered(hass: HomeAssistant) -> datetime | None:
    """Return when the automation began its last run, None before the first."""
    state = hass.states.get(AUTOMATION)
    assert state is not None
    at: datetime | None = state.attributes["last_triggered"]
    return at


class Phone:
    """A phone with the app: the notify action it is reached by, and who taps on it.

    The app's integration is not set up: what it gives to a blueprint is the device,
    the action named after it, and the event of a tap.
    """

    def __init__(self, hass: HomeAssistant, name: str) -> None:
        """Register the phone under the name that its app gave."""
        self._hass = hass
        self.sent: list[Mapping[str, Any]] = []
        self.shown: dict[str, Mapping[str, Any]] = {}
        entry = MockConfigEntry(domain="mobile_app", title=name)
        entry.add_to_hass(hass)
        registry = dr.async_get(hass)
        device = registry.async_get_or_create(
            config_entry_id=entry.entry_id,
            identifiers={("mobile_app", name)},
            name=name,
        )
        registry.async_update_device(device.id, name_by_user="Renamed")
        self.device_id = device.id

    def reach_by(self, action: str) -> None:
        """Take what is sent by a notify action."""
        self._hass.services.async_register("notify", action, self._take)

    @callback
    def _take(self, call: ServiceCall) -> None:
        """Show or clear a notification as the app does, one for each tag."""
        self.sent.append(call.data)
        tag = call.data["data"]["tag"]
        if call.data["message"] == CLEAR:
            self.shown.pop(tag, None)
        else:
            self.shown[tag] = call.data

    @property
    def question(self) -> Mapping[str, Any] | None:
        """Return the only notification there is, None without any."""
        assert len(self.shown) <= 1
        return next(iter(self.shown.values()), None)

    @property
    def answers(self) -> dict[str, str]:
        """Return the answers there are, by their texts."""
        assert self.question is not None
        actions = self.question["data"]["actions"]
        return {one["title"]: one["action"] for one in actions}

    def tap(self, action: str) -> None:
        """Answer; the notification is gone with it."""
        self.shown.clear()
        self._hass.bus.async_fire(ANSWER, {"action": action})


async def add_calendar(hass: HomeAssistant) -> SavingSessions:
    """Add a calendar without events."""
    assert await async_setup_component(hass, "calendar", {})
    calendar = SavingSessions(None)
    await hass.data["entity_components"]["calendar"].async_add_entities([calendar])
    await hass.async_block_till_done()
    assert hass.states.get(CALENDAR) is not None
    return calendar


def item(
    summary: str,
    *,
    starts_in: float,
    seconds: float = 3600,
    description: str | None = None,
) -> CalendarEvent:
    """Return an event of a calendar that starts in so many seconds."""
    start = dt_util.utcnow() + timedelta(seconds=starts_in)
    return CalendarEvent(
        start=start,
        end=start + timedelta(seconds=seconds),
        summary=summary,
        description=description,
    )


async def announce(
    hass: HomeAssistant, calendar: SavingSessions, *events: CalendarEvent
) -> None:
    """Have events in a calendar, and the automation see them at once.

    By itself it would look at the calendar again within a quarter of an hour.
    """
    calendar.events = list(events)
    calendar.async_write_ha_state()
    for action in ("turn_off", "turn_on"):
        await hass.services.async_call(
            "automation", action, {"entity_id": AUTOMATION}, blocking=True
        )
