"""What of a wallbox becomes visible as states, and how often.

Source: Structure File, "Wallbox2"; Loxone's pages of the energy meters.
"""

import json
from typing import Any

from .faults import Faults
from .session import NO_PRICE
from .states import Value
from .wallbox import PERIODS, Wallbox

_PRICE_MISSING_SINCE = (15, 1)
_EXTERNAL_AUTHORITY_SINCE = (15, 2)


class Publisher:
    """Turns a wallbox into values; measurements come at the meter's own pace."""

    def __init__(
        self,
        wallbox: Wallbox,
        *,
        faults: Faults,
        version: tuple[int, ...],
        power_every_s: float,
        energy_every_s: float,
    ) -> None:
        """Take the wallbox and the meter's intervals (seconds)."""
        self._wallbox = wallbox
        self._faults = faults
        self._version = version
        self._power_every_s = power_every_s
        self._energy_every_s = energy_every_s
        self._power_at = self._energy_at = float("-inf")
        self._seen: tuple[bool | float, ...] = ()
        self._box: dict[str, Value] = {}

    def values(self, now: float) -> dict[str, Value]:
        """Return the values of the states by name."""
        box = self._wallbox
        if box.point.online:
            self._measure(now)
        # Without its link the box cannot tell: what it measures stands still.
        values = {**self._box, **self._block()}
        fault = self._faults.peek("negative_zero")
        if fault and values["actual"] == 0:
            values["actual"] = float(fault["value"])
        fault = self._faults.peek("no_price")
        if fault:
            values["pricePerkWh"] = values["pricePerHour"] = float(fault["value"])
        values["session"] = self._session_text(values["session"])
        return values

    def diagnostics(self) -> dict[str, Value]:
        """Return the values of the diagnostic inputs by title."""
        point = self._wallbox.point
        return {
            "Online": float(point.online),
            "Charging error": float(bool(point.error_code)),
            "Fault current": float(point.error_code == 101),  # noqa: PLR2004
            "Temperature": point.temperature,
            "Error code": float(point.error_code),
            **{title: float(on) for title, on in self._wallbox.contacts.items()},
        }

    def _measure(self, now: float) -> None:
        """Take new readings from the box where they are due."""
        box = self._wallbox
        # A change of these is reported at once, and with it the readings.
        switches = (box.connected, box.active, box.phase_switching, box.enabled)
        seen = (*switches, box.target_kw)
        changed = seen != self._seen
        self._seen = seen
        if changed or now - self._energy_at >= self._energy_every_s - 1e-6:
            self._energy_at = now
            self._box["total"] = round(box.total_kwh, 3) if box.config.meter else 0.0
            for period in PERIODS:
                self._box[period] = round(box.period_kwh[period], 3)
            self._box["session"] = self._session()
        if changed or now - self._power_at >= self._power_every_s - 1e-6:
            self._power_at = now
            power = box.power_kw if box.config.meter else 0.0
            self._box["actual"] = round(power, 3)
        self._box["connected"] = float(box.connected)
        self._box["active"] = float(box.active)
        self._box["phaseSwitching"] = float(box.phase_switching)

    def _block(self) -> dict[str, Value]:
        """Return what the Miniserver knows without the box."""
        box = self._wallbox
        lock = box.locked
        missing = NO_PRICE if self._version >= _PRICE_MISSING_SINCE else 0.0
        per_kwh, per_hour = box.price_per_kwh, box.config.price_per_hour
        return {
            "enabled": float(box.enabled),
            "loadshed": float(box.loadshed),
            "mode": float(box.mode),
            "limit": round(box.limit_kw, 3),
            "modeUnplug": float(box.mode_unplug),
            "priority": float(box.config.managed and box.mode == 2),  # noqa: PLR2004
            "pricePerHour": missing if per_hour is None else per_hour,
            "pricePerkWh": missing if per_kwh is None else per_kwh,
            "limitedBy": float(box.limited_by),
            "temporaryLimitation": 0.0,
            "jLocked": ""
            if lock is None
            else json.dumps({"locked": lock[0], "reason": lock[1]}, ensure_ascii=False),
        }

    def _session(self) -> str:
        """Return the session as text."""
        box = self._wallbox
        if box.session is None:
            return box.config.idle_session
        record: dict[str, Any] = box.session.as_dict()
        record["power"] = round(box.power_kw, 3)
        if self._version < _PRICE_MISSING_SINCE:
            del record["price"]
        if self._version >= _EXTERNAL_AUTHORITY_SINCE:
            record["extAuthority"] = ""
        return json.dumps(record, ensure_ascii=False)

    def _session_text(self, text: Value) -> str:
        """Return the text of the session with what is wrong with it."""
        if not isinstance(text, str) or not text.startswith("{"):
            return str(text)
        record = json.loads(text)
        if fault := self._faults.peek("latin1_text"):
            record["user"] = fault["user"]
        if "price" in record and (fault := self._faults.peek("no_price")):
            record["price"] = fault["value"]
        text = json.dumps(record, ensure_ascii=False)
        for name in ("unescaped_quote", "control_characters"):
            fault = self._faults.peek(name)
            if fault and fault["where"] == "session":
                plain = f'"user": {json.dumps(record["user"], ensure_ascii=False)}'
                text = text.replace(plain, f'"user": "{fault["value"]}"')
        return text
