"""Another meter in the same place, through Home Assistant: what it is asked and told."""

from itertools import product
import json
from pathlib import Path
from typing import Any

import pytest
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from homeassistant.components.repairs import DOMAIN as REPAIRS
from homeassistant.core import Event, HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir
from homeassistant.helpers.event import async_track_state_change_event
from homeassistant.setup import async_setup_component

from .conftest import StartSimulator
from .helpers import entity_id, eventually
from .meter_house import MeteredHouse, metered
from .security_home import logged
from custom_components.loxone_wallbox.const import DOMAIN
from simulator import MeterConfig

METER = MeterConfig(profile="sdm630", wobble=0.0, energy_kwh=500)
FOLDER = Path(__file__).parents[1] / "custom_components" / DOMAIN / "translations"
ANSWERS = ("replaced", "reset", "glitch")


class Owner:
    """Answers repairs as the frontend does."""

    def __init__(self, home: MeteredHouse, client: Any) -> None:
        """Take the house and a client that is signed in."""
        self._home = home
        self._client = client
        self.issue_id = f"meter_break_{home.wallbox().subentry_id}"

    def asked(self) -> ir.IssueEntry | None:
        """Return the question, None where there is none."""
        return ir.async_get(self._home.hass).async_get_issue(DOMAIN, self.issue_id)

    async def answer(self, answer: str) -> None:
        """Answer what happened to the meter."""
        response = await self._client.post(
            "/api/repairs/issues/fix",
            json={"handler": DOMAIN, "issue_id": self.issue_id},
        )
        form = await response.json()
        assert form["step_id"] == "answer"
        assert [field["name"] for field in form["data_schema"]] == ["answer"]
        [field] = form["data_schema"]
        assert set(field["selector"]["select"]["options"]) == set(ANSWERS)
        for language in ("en", "de"):
            texts = json.loads((FOLDER / f"{language}.json").read_text("utf-8"))
            step = texts["issues"]["meter_break"]["fix_flow"]["step"]["answer"]
            for text in (step["title"], step["description"]):
                assert text.format(**form["description_placeholders"])
        response = await self._client.post(
            f"/api/repairs/issues/fix/{form['flow_id']}", json={"answer": answer}
        )
        assert (await response.json())["type"] == "create_entry"
        await eventually(lambda: self.asked() is None)


def totals(home: MeteredHouse) -> list[float]:
    """Return a list to which each energy total that is shown is added."""
    shown: list[float] = []

    @callback
    def note(event: Event[Any]) -> None:
        """Take note of an energy."""
        state = event.data["new_state"]
        if state is not None and state.state not in {"unknown", "unavailable"}:
            shown.append(float(state.state))

    found = entity_id(home.hass, home.simulator, "energy_total")
    async_track_state_change_event(home.hass, found, note)
    return shown


@pytest.mark.parametrize(
    ("answer", "first_kwh"), list(product([None, *ANSWERS], [0.3, 700.0]))
)
async def test_a_new_meter(
    hass: HomeAssistant,
    hass_client: ClientSessionGenerator,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
    *,
    answer: str | None,
    first_kwh: float,
) -> None:
    """The total never falls, the next session is right, whatever is answered."""
    assert await async_setup_component(hass, REPAIRS, {})
    async with metered(hass, start_simulator, monkeypatch, METER) as home:
        owner = Owner(home, await hass_client())
        shown = totals(home)
        await home.plug()
        await home.run(60)
        await home.unplug()
        await home.run(10)
        before = float(home.see[0]("energy_total"))
        await home.exchange("77777777", first_kwh)
        await home.run(9)
        assert owner.asked() is None
        await home.run(6)
        question = owner.asked()
        assert question is not None
        assert question.translation_placeholders is not None
        assert question.translation_placeholders["serial_after"] == "77777777"
        assert question.translation_placeholders["serial_before"] == "23110001"
        assert float(home.see[0]("energy_total")) == before
        if answer is not None:
            await owner.answer(answer)
        await home.plug()
        await home.run(130)
        await home.unplug()
        await home.run(10)
        session = home.reading().session
        assert session is not None
        assert session.stop_wh is not None
        assert session.energy_wh == pytest.approx(120 * 11_000 / 3600, abs=15)
        await home.run(60)
        energy = float(home.see[0]("energy_total"))
        assert energy == pytest.approx(before + 120 * 11 / 3600, abs=0.02)
        assert shown == sorted(shown)
        assert home.reading().findings == ()
        told = await logged(hass, home.simulator, "meter_replaced")
        assert len(told) == (answer == "replaced")
        for one in told:
            assert one["outcome"] == "info"
            assert one["source"].startswith("ha_user:p")
            assert one["detail"]["wallbox"] == home.wallbox().title
            assert one["detail"]["last_kwh"] == pytest.approx(before, abs=0.02)
            assert one["detail"]["first_kwh"] == pytest.approx(first_kwh)


@pytest.mark.slow
async def test_the_question_outlives_a_restart(
    hass: HomeAssistant,
    hass_client: ClientSessionGenerator,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It is asked again, also where Home Assistant has forgotten its repairs."""
    assert await async_setup_component(hass, REPAIRS, {})
    async with metered(hass, start_simulator, monkeypatch, METER) as home:
        await home.exchange("77777777", 0.3)
        await home.run(30)
        owner = Owner(home, await hass_client())
        assert owner.asked() is not None
        ir.async_delete_issue(hass, DOMAIN, owner.issue_id)
        await home.restart()
        assert owner.asked() is not None
        await owner.answer("replaced")
        await home.restart()
        assert owner.asked() is None


async def test_a_single_wrong_reading(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It asks nothing and changes nothing."""
    async with metered(hass, start_simulator, monkeypatch, METER) as home:
        await home.plug()
        await home.run(60)
        shown = totals(home)
        home.meter().fault("glitch", to_kwh=0.0, times=1)
        await home.run(120)
        issue_id = f"meter_break_{home.wallbox().subentry_id}"
        assert ir.async_get(hass).async_get_issue(DOMAIN, issue_id) is None
        assert shown == sorted(shown)
        assert shown[-1] - shown[0] < 0.4


async def test_a_counter_that_rolls_over(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """At the end of its range it begins at zero; the total goes on, nobody is asked."""
    near = MeterConfig(profile="sdm630", wobble=0.0, energy_kwh=999_999.8)
    async with metered(hass, start_simulator, monkeypatch, near) as home:
        shown = totals(home)
        before = float(home.see[0]("energy_total"))
        assert before > 999_999
        await home.plug()
        await home.run(190)
        assert home.meter().import_kwh % 1e6 < 1
        issue_id = f"meter_break_{home.wallbox().subentry_id}"
        assert ir.async_get(hass).async_get_issue(DOMAIN, issue_id) is None
        assert shown == sorted(shown)
        assert shown[-1] > 1_000_000
        # A float counts in steps of 62.5 Wh there.
        assert shown[-1] - before == pytest.approx(0.5, abs=0.2)


async def test_a_meter_that_is_taken_out_is_not_asked_about(
    hass: HomeAssistant,
    hass_client: ClientSessionGenerator,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The question goes with the meter, whose account is forgotten."""
    async with metered(hass, start_simulator, monkeypatch, METER) as home:
        await home.exchange("77777777", 0.3)
        await home.run(30)
        owner = Owner(home, await hass_client())
        assert owner.asked() is not None
        [subentry] = home.entry.subentries.values()
        without = {name: of for name, of in subentry.data.items() if name != "meter"}
        hass.config_entries.async_update_subentry(home.entry, subentry, data=without)
        await eventually(lambda: has_meter(home) is False)
        await eventually(lambda: owner.asked() is None)


def has_meter(home: MeteredHouse) -> bool | None:
    """Tell whether the wallbox has a meter, None while it is built anew."""
    if not home.entry.runtime_data.wallboxes:
        return None
    return home.wallbox().measuring.has_meter
