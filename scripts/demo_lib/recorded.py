"""What is kept of a session: the list, the month, the calendar, the Energy dashboard."""

from datetime import datetime, timedelta
from typing import Any

from scripts.demo_lib.entities import Wallbox
from scripts.demo_lib.findings import Findings
from scripts.demo_lib.paths import DOMAIN
from scripts.demo_lib.paying import CURRENCY, ROUNDING, check_cost
from scripts.demo_lib.progress import DemoError

PATIENCE_S = 30
# What was plugged in for long is found all the same.
AROUND = timedelta(days=2)
KWH_DIGITS = 3


class Recorded:
    """The history of one wallbox, as its owner asks for it."""

    def __init__(self, wallbox: Wallbox, findings: Findings, *, counted: bool) -> None:
        """Take a wallbox with at least one session that has ended.

        It is `counted` where Home Assistant has made statistics since its meter was
        set up, which it does each five minutes.
        """
        self._wallbox = wallbox
        self._found = findings
        self._counted = counted
        self._expected = set() if counted else {"statistics_not_defined"}

    async def energy_of_last(self) -> float | None:
        """Return what the newest session took in kWh, None while it is none of ours."""
        sessions = (await self._ask("get_sessions"))["sessions"]
        if not sessions:
            return None
        last = max(sessions, key=lambda one: str(one["connected_utc"]))
        ended = last["disconnected_utc"] is not None
        return float(last["energy_kwh"]) if ended else None

    async def check(self) -> None:
        """Look for the sessions everywhere, and at what they add up to."""
        sessions = (await self._ask("get_sessions"))["sessions"]
        for session in sessions:
            quality = session["quality"]
            self._found.require(
                quality["source"] in {"meter", "miniserver"},
                f"{session['energy_kwh']:g} kWh are from the {quality['source']}, "
                f"{session['charging_s']} s of charging, for {check_cost(session):.2f} "
                f"{CURRENCY}",
            )
        await self._found.wait("the month to add up", self._month, PATIENCE_S)
        await self._calendar(sessions)
        await self._dashboard()

    async def _month(self) -> bool | None:
        """Look whether month and list agree; the database follows in a moment.

        A session over midnight at the end of a month is in two of them.
        """
        sessions = (await self._ask("get_sessions"))["sessions"]
        year = (await self._ask("get_summary", period="rolling_year"))["total"]
        month = (await self._ask("get_summary", period="month"))["total"]
        listed = round(sum(one["energy_kwh"] for one in sessions), KWH_DIGITS)
        if round(year["energy_kwh"], KWH_DIGITS) != listed or not sessions:
            return None
        begun = {str(one["connected_local"])[:7] for one in sessions}
        ended = {str(one["disconnected_local"])[:7] for one in sessions}
        same = len(begun | ended) == 1
        if same and month["energy_kwh"] != year["energy_kwh"]:
            return None
        cost = sum(check_cost(one) for one in sessions)
        if not all(costs(one, cost) for one in ((month, year) if same else (year,))):
            return None
        sums = [
            f"{one['energy_kwh']:g} kWh for {sum(i['cost'] for i in one['costs']):.2f}"
            for one in (month, year)
        ]
        self._found.note(
            f"{len(sessions)} sessions, {listed:g} kWh for {cost:.2f} {CURRENCY} in the "
            f"list; {sums[0]} this month, {sums[1]} in a year"
        )
        return True

    async def _calendar(self, sessions: list[dict[str, Any]]) -> None:
        """Find each session in the calendar, with its energy and its cost."""
        instants = [datetime.fromisoformat(one["connected_utc"]) for one in sessions]
        entity_id = self._wallbox.entity_ids["sessions"]
        start, end = min(instants) - AROUND, max(instants) + AROUND
        events = await self._wallbox.api.request(
            "GET",
            f"/api/calendars/{entity_id}",
            params={"start": start.isoformat(), "end": end.isoformat()},
        )
        there = {event["uid"]: event for event in events}
        missing = [one["id"] for one in sessions if one["id"] not in there]
        self._found.require(
            not missing, f"{len(sessions)} sessions are in the calendar {entity_id}"
        )
        for session in sessions:
            event = there[session["id"]]
            energy, cost = f"{session['energy_kwh']:.2f} kWh", f"{session['cost']:.2f}"
            self._found.require(
                energy in event["summary"]
                and f"{cost} {CURRENCY}" in event["description"],
                f"the calendar says {event['summary']}, {cost} {CURRENCY}",
            )

    async def _dashboard(self) -> None:
        """Put the energy total on the Energy dashboard, which must accept it."""
        api, entity_id = self._wallbox.api, self._wallbox.entity_ids["energy_total"]
        devices = [{"stat_consumption": entity_id, "name": self._wallbox.name}]
        if self._counted:
            await self._found.wait("the statistics", self._offered, PATIENCE_S)
            self._found.note(f"the Energy dashboard offers {entity_id}")
        await api.command("energy/save_prefs", device_consumption=devices)
        issues: list[Any] = []

        async def accepted() -> bool | None:
            """Look whether the dashboard has nothing against it."""
            nonlocal issues
            found = await api.command("energy/validate")
            issues = [
                one
                for one in found["device_consumption"][0]
                if one["type"] not in self._expected
            ]
            return None if issues else True

        try:
            await self._found.wait("the Energy dashboard", accepted, PATIENCE_S)
        except DemoError as err:
            raise DemoError(f"{err} It says {issues}.") from None
        self._found.note(f"the Energy dashboard accepts {entity_id}")

    async def _offered(self) -> bool | None:
        """Look whether the energy total is among what the dashboard lets one choose."""
        offered = await self._wallbox.api.command(
            "recorder/list_statistic_ids", statistic_type="sum"
        )
        wanted = self._wallbox.entity_ids["energy_total"]
        there = [
            one
            for one in offered
            if one["statistic_id"] == wanted and one["unit_class"] == "energy"
        ]
        return True if there else None

    async def _ask(self, action: str, **data: Any) -> Any:
        """Ask for the wallbox's history."""
        device_id = self._wallbox.device_id
        return await self._wallbox.api.ask(
            f"{DOMAIN}.{action}", device_id=device_id, **data
        )


def costs(sums: dict[str, Any], cost: float) -> bool:
    """Tell whether sums have a cost, in the one currency there is."""
    found = sums["costs"]
    right = len(found) == 1 and found[0]["currency"] == CURRENCY
    known = sums["unknown_kwh"] == sums["provisional_kwh"] == 0
    return right and known and abs(found[0]["cost"] - cost) < ROUNDING
