"""A wallbox in the words of IEC 61851-1, as evcc wants them: letters and ampere.

Takes what a wallbox shows and the owner's wish in kW, gives the letter of its state and
the wish in ampere for each phase. A vehicle is offered 6 A at least.
"""

from .charging.variants import VariantFacts
from .wallbox_data import WallboxData

LEAST_A = 6.0
IEC_STATES = ("A", "B", "C")


def iec_status(data: WallboxData) -> str | None:
    """Return A without a vehicle, B with one, C while it charges; None with a fault."""
    if data.fault is not None or data.state.connected is None:
        return None
    if not data.state.connected:
        return "A"
    return "C" if data.charging else "B"


def power_of(
    ampere: float, facts: VariantFacts, least_kw: float, most_kw: float
) -> float:
    """Return the power in kW of a current on all phases, within what may be wished."""
    power_kw = round(ampere * facts.min_kw / LEAST_A, 2)
    return min(max(power_kw, least_kw), most_kw)


def current_of(power_kw: float, facts: VariantFacts, most_kw: float) -> float:
    """Return the current in A of a power, the rated one where nothing is held back."""
    if power_kw >= most_kw:
        return facts.rated_a
    ampere = round(power_kw * LEAST_A / facts.min_kw, 1)
    return min(max(ampere, LEAST_A), facts.rated_a)
