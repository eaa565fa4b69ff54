"""Walks through the flows as an owner does, and counts logins at the simulator."""

from collections.abc import Callable
from typing import Any

from pytest_homeassistant_custom_component.common import MockConfigEntry

from homeassistant.config_entries import SOURCE_USER, ConfigEntry
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType

from .conftest import PASSWORD, USERNAME
from custom_components.loxone_wallbox.const import DOMAIN, SUBENTRY_WALLBOX
from simulator import Simulator

type Result = dict[str, Any]

# What the form of a wallbox suggests of its meter and its rules where nobody but
# administrators lives and no country is set.
RULES: Result = {
    "meter_source": "miniserver",
    "tariff_kind": "none",
    "profile": "none",
    "who_delays": "home_assistant",
    "rules": {
        "automations_may_override": True,
        "plug_in_delay": True,
        "strict": False,
        "priority": 50,
    },
    "grid": {
        "dsr_entities": [],
        "dsr_limit_kw": 0.0,
        "dsr_end_after_min": 120,
        "dsr_response": False,
        "under_agreement": False,
    },
    "clock": {
        "timezone": "profile",
        "days_off_entities": [],
    },
}
# The same as it is kept.
KEPT_RULES: Result = {
    "profile": "none",
    "who_delays": "home_assistant",
    **RULES["rules"],
    **{
        name: value
        for name, value in RULES["grid"].items()
        if name != "under_agreement"
    },
    **RULES["clock"],
}


class Logins:
    """What clients tried at a simulated Miniserver to come in."""

    def __init__(self, simulator: Simulator) -> None:
        """Start counting."""
        self.by_password = 0
        self.by_token = 0
        self.refused = 0
        accounts = simulator.unit.accounts
        for counter, name in (
            ("by_password", "check_password"),
            ("by_token", "find_token"),
            ("refused", "failed"),
        ):
            setattr(accounts, name, self._counted(counter, getattr(accounts, name)))

    @property
    def all(self) -> tuple[int, int, int]:
        """Return all counts: passwords, tokens (their end too), refusals."""
        return self.by_password, self.by_token, self.refused

    def _counted(
        self, counter: str, original: Callable[..., Any]
    ) -> Callable[..., Any]:
        """Return a function that counts its calls."""

        def call(*args: Any, **kwargs: Any) -> Any:
            setattr(self, counter, getattr(self, counter) + 1)
            return original(*args, **kwargs)

        return call


def address(simulator: Simulator, **changes: Any) -> Result:
    """Return the answers to the form for address and login."""
    advanced = {
        "encryption": "auto",
        "tls_port": simulator.tls_port or 443,
        "store_password": False,
    }
    for name in advanced:
        if name in changes:
            advanced[name] = changes.pop(name)
    return {
        "host": "127.0.0.1",
        "port": simulator.port,
        "username": USERNAME,
        "password": PASSWORD,
        "advanced": advanced,
        **changes,
    }


async def begin(
    hass: HomeAssistant, source: str = SOURCE_USER, data: Any = None
) -> Result:
    """Start the flow; a search is waited for."""
    result = await hass.config_entries.flow.async_init(
        DOMAIN, context={"source": source}, data=data
    )
    if result["type"] is FlowResultType.SHOW_PROGRESS:
        assert result["progress_action"] == "scan"
        await hass.async_block_till_done()
        result = await hass.config_entries.flow.async_configure(result["flow_id"])
    return dict(result)


async def answer(hass: HomeAssistant, result: Result, data: Any) -> Result:
    """Answer a form of the main flow."""
    done = await hass.config_entries.flow.async_configure(result["flow_id"], data)
    if done["type"] is FlowResultType.CREATE_ENTRY:
        await hass.async_block_till_done()
    return dict(done)


async def finish(hass: HomeAssistant, result: Result) -> ConfigEntry[Any]:
    """Take every suggestion until the entry is there, from picking wallboxes on."""
    for _ in range(10):
        if result["type"] is FlowResultType.CREATE_ENTRY:
            entry: ConfigEntry[Any] = result["result"]
            return entry
        assert result["type"] is FlowResultType.FORM, result
        assert not result["errors"], result
        result = await answer(hass, result, suggestions(result))
    raise AssertionError(f"the flow does not end: {result}")


def suggestions(result: Result) -> Result:
    """Return what the frontend sends where nothing was touched."""
    return _suggested(result["data_schema"].schema)


def _suggested(schema: Any) -> Result:
    """Return defaults and suggested values of a schema."""
    found: Result = {}
    for marker, value in schema.items():
        inner = getattr(value, "schema", None)
        hint = (marker.description or {}).get("suggested_value")
        if inner is not None and hasattr(value, "options"):
            found[str(marker)] = _suggested(inner.schema)
        elif hint is not None:
            found[str(marker)] = hint
        elif callable(marker.default):
            found[str(marker)] = marker.default()
    return found


def options_of(result: Result, field: str) -> list[Any]:
    """Return the choices of a field, with their labels where they have some."""
    for marker, value in result["data_schema"].schema.items():
        if str(marker) == field:
            options: list[Any] = value.config["options"]
            return options
    raise AssertionError(f"no field {field}")


def fields_of(result: Result) -> set[str]:
    """Return the names of a form's fields."""
    return {str(marker) for marker in result["data_schema"].schema}


async def to_wallboxes(
    hass: HomeAssistant, miniserver: Simulator, *, only: int | None = None
) -> Result:
    """Log in and take all wallboxes or so many; the first one's form is shown."""
    result = await answer(hass, await begin(hass), address(miniserver))
    assert result["step_id"] == "wallboxes"
    picked = suggestions(result)["wallboxes"][:only]
    result = await answer(hass, result, {"wallboxes": picked})
    assert result["step_id"] == "wallbox"
    return result


def settings(entry: ConfigEntry[Any]) -> dict[str, dict[str, Any]]:
    """Return the settings of an entry's wallboxes by title."""
    return {one.title: dict(one.data) for one in entry.subentries.values()}


async def add(hass: HomeAssistant, entry: MockConfigEntry) -> Result:
    """Start to add a wallbox."""
    return dict(
        await hass.config_entries.subentries.async_init(
            (entry.entry_id, SUBENTRY_WALLBOX), context={"source": SOURCE_USER}
        )
    )


async def say(hass: HomeAssistant, result: Result, data: Any) -> Result:
    """Answer a form of the subentry flow."""
    done = await hass.config_entries.subentries.async_configure(result["flow_id"], data)
    await hass.async_block_till_done()
    return dict(done)


async def change(hass: HomeAssistant, entry: MockConfigEntry, title: str) -> Result:
    """Start to change a wallbox."""
    [subentry] = [one for one in entry.subentries.values() if one.title == title]
    return dict(await entry.start_subentry_reconfigure_flow(hass, subentry.subentry_id))


async def live_in_britain(hass: HomeAssistant) -> None:
    """Let Home Assistant be where a choice of default charging hours is mandatory."""
    hass.config.country = "GB"
    await hass.config.async_set_time_zone("Europe/London")
