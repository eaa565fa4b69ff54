"""What is known of the internet, from who looks anyway."""

from aiohasupervisor.models import NetworkInfo
import pytest

from homeassistant.components.hassio.const import DATA_NETWORK_INFO
from homeassistant.core import HomeAssistant

from custom_components.loxone_wallbox.internet import internet_of

DOCKER = {
    "interface": "hassio",
    "address": "172.30.32.0/23",
    "gateway": "172.30.32.1",
    "dns": "172.30.32.3",
}


def test_nobody_knows(hass: HomeAssistant) -> None:
    """Without a Supervisor nothing is said."""
    assert internet_of(hass) is None


@pytest.mark.parametrize("there", [True, False, None])
def test_the_supervisor(hass: HomeAssistant, *, there: bool | None) -> None:
    """It says what it found, and nothing before it has looked."""
    hass.config.components.add("hassio")
    assert internet_of(hass) is None
    hass.data[DATA_NETWORK_INFO] = NetworkInfo.from_dict(
        {
            "interfaces": [],
            "docker": DOCKER,
            "host_internet": there,
            "supervisor_internet": True,
        }
    )
    assert internet_of(hass) is there
