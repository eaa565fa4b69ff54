"""The error codes of a wallbox in words.

Source: Loxone's knowledge base, error codes of the Wallbox.
"""

from enum import StrEnum


class Fault(StrEnum):
    """What is wrong with a wallbox."""

    FAULT_CURRENT = "fault_current"
    RDC_INITIALISATION = "rdc_initialisation"
    RDC_TEST = "rdc_test"
    UNEXPECTED_STATE = "unexpected_state"
    RDC_NOT_READY = "rdc_not_ready"
    DIGITAL_COMMUNICATION = "digital_communication"
    VENTILATION_REQUIRED = "ventilation_required"
    VOLTAGE_DIP = "voltage_dip"
    OVER_TEMPERATURE = "over_temperature"
    CHARGING_ERROR = "charging_error"
    UNKNOWN_CODE = "unknown_code"


CODES = {
    101: Fault.FAULT_CURRENT,
    102: Fault.RDC_INITIALISATION,
    103: Fault.RDC_TEST,
    201: Fault.UNEXPECTED_STATE,
    202: Fault.RDC_NOT_READY,
    203: Fault.DIGITAL_COMMUNICATION,
    204: Fault.VENTILATION_REQUIRED,
    300: Fault.VOLTAGE_DIP,
}


def find_fault(
    *,
    error_code: float | None,
    fault_current: float | None,
    charging_error: float | None,
    over_temperature: float | None = None,
) -> Fault | None:
    """Return the fault that the diagnostic inputs show, the most precise first.

    A code of later firmware is a fault as well, only without a name of its own.
    """
    if error_code is not None and error_code >= 1:
        return CODES.get(round(error_code), Fault.UNKNOWN_CODE)
    if fault_current:
        return Fault.FAULT_CURRENT
    if over_temperature:
        return Fault.OVER_TEMPERATURE
    if charging_error:
        return Fault.CHARGING_ERROR
    return None
