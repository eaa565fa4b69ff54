"""When what is shown of a wallbox's sessions goes on.

Takes the running session and every record that changes, gives what is shown. Without a
meter that is the energy as it flows, times once a minute, the cost with the energy. A
meter is read each second and shown now and then; the session goes on whenever its meter
does, however often the Miniserver tells something in between, or there would be a row
in the recorder's database for each of that.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from .charging.following import OpenSession
from .charging.session import Kind, SessionRecord
from .meter_shown import MeterShown
from .session_shown import SessionShown, shown_of

# What is told of the running session's times goes on so often.
SHOW_EVERY = timedelta(minutes=1)
# A meter that has shown nothing for so long is not read just now.
MISSED_AFTER = 1.5 * SHOW_EVERY
# After so much energy its cost is reckoned anew: half a minute at 11 kW.
COST_EVERY_WH = 100


class Showing:
    """What is shown of one wallbox's sessions.

    `priced` gives the record of the running session, `currency` that of the present
    tariff.
    """

    def __init__(
        self,
        latest: SessionRecord | None,
        occasion: SessionRecord | None,
        *,
        priced: Callable[[OpenSession, datetime], SessionRecord],
        currency: Callable[[datetime], str | None],
    ) -> None:
        """Go on from the last session that has ended, and the last that took energy."""
        self.latest, self._occasion = latest, occasion
        self._priced = priced
        self._currency = currency
        self._shown: SessionShown | None = None
        self._at: datetime | None = None
        self._wh = 0
        self._meter: MeterShown | None = None

    def remember(self, record: SessionRecord) -> None:
        """Take a record that changed; what happens is shown at once."""
        self._at = None
        if record.disconnected_utc is None or self._is_older(record):
            return
        self.latest = record
        if record.kind is Kind.OCCASION:
            self._occasion = record

    def _is_older(self, record: SessionRecord) -> bool:
        """Tell whether a session was before the last one."""
        last = self.latest
        return last is not None and record.connected_utc < last.connected_utc

    def shown(
        self, session: OpenSession | None, at: datetime, meter: MeterShown | None
    ) -> SessionShown:
        """Return what is shown of the running or last session; `at` is now.

        `meter` is what is shown of its meter, another one each time that is shown anew,
        and None where the Miniserver measures.
        """
        before, wh = self._shown, 0 if session is None else session.booked_wh
        due = self._is_due(wh, at, meter)
        self._meter = meter
        if before is not None and not due:
            if session is None or meter is not None:
                return before
            return replace(before, energy_kwh=wh / 1000)
        self._at, self._wh = at, wh
        running = None if session is None else self._priced(session, at)
        shown = shown_of(session, running, self.latest, self._occasion, at)
        currency = shown.currency or self._currency(at)
        self._shown = replace(shown, currency=currency)
        return self._shown

    def _is_due(self, wh: int, at: datetime, meter: MeterShown | None) -> bool:
        """Tell whether all that is shown goes on."""
        if self._at is None:
            return True
        passed = abs(at - self._at)
        if meter is not None:
            return meter is not self._meter or passed >= MISSED_AFTER
        return passed >= SHOW_EVERY or wh - self._wh >= COST_EVERY_WH
