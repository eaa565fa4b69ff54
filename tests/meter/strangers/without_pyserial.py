"""Read a serial meter where pyserial cannot be imported: unit 1, device as argument.

The strangers bring pyserial with them, which not every Home Assistant has.
"""

import asyncio
import sys

# Before anything has had a chance to import it.
sys.modules["serial"] = None  # type: ignore[assignment]


async def main(device: str) -> None:
    """Print the power that an SDM630 shows."""
    from modbus_connection import ModbusSerialParams  # noqa: PLC0415

    from custom_components.loxone_wallbox.meter.dedicated import (  # noqa: PLC0415
        DedicatedLink,
    )
    from custom_components.loxone_wallbox.meter.probe import probe  # noqa: PLC0415
    from custom_components.loxone_wallbox.meter.profiles import (  # noqa: PLC0415
        PROFILES,
    )

    profile = PROFILES["eastron_sdm630"]
    link = DedicatedLink(ModbusSerialParams(device=device), 1, profile, timeout_s=30)
    try:
        result = await probe(link, profile)
    finally:
        await link.close()
    assert result.sample is not None, result.error
    sys.stdout.write(f"{result.sample.power_w}\n")


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
