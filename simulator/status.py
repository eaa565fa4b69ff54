"""The tree of devices at `/data/status`, and the descriptions for discovery.

Source: Loxone's page "Web services".
"""

from xml.sax.saxutils import quoteattr

from .config import SimulatorConfig
from .miniserver import Miniserver
from .wallbox import Wallbox

# Device type 0x8023 in the upper half, as a signed number.
_WALLBOX_CODE = 0x802300B5 - 2**32


def status_xml(unit: Miniserver) -> str:
    """Return every device with its state."""
    config = unit.config
    boxes = unit.world.wallboxes
    tree = [_device("TreeDevice", box) for box in boxes if not box.config.facts.air]
    air = [_device("AirDevice", box) for box in boxes if box.config.facts.air]
    unit_attributes = {
        "Type": str(config.type),
        "Name": config.name,
        "IP": config.host,
        "Serial": config.serial,
        "Version": config.firmware,
        "Online": "true",
    }
    lines = [
        '<?xml version="1.0" encoding="utf-8"?>',
        f'<Status Modified="{unit.structure.last_modified}">',
        f"<Miniserver {_attributes(unit_attributes)}>",
        '<Extension Type="19" Name="Tree Extension" Serial="13000001" Online="true">',
        '<TreeBranch Name="Left" Devices="' + str(len(tree)) + '">',
        *tree,
        "</TreeBranch>",
        "</Extension>",
        '<Extension Type="10" Name="Air Base" Serial="0C000001" Online="true">',
        *air,
        "</Extension>",
        "</Miniserver>",
        "</Status>",
    ]
    return "\n".join(lines)


def _device(element: str, box: Wallbox) -> str:
    """Return one device."""
    attributes = {
        "Type": "32803",
        "Code": str(_WALLBOX_CODE),
        "Name": box.name,
        "Place": box.config.room,
        "Inst": "",
        "Serial": box.tree_serial,
        "Version": "16.1.11.6",
        "HwVersion": "1",
        "Online": str(box.point.online).lower(),
        "DummyDev": "false",
        "Updating": "false",
        "UpdateProgress": "0",
    }
    if element == "AirDevice":
        attributes |= {"MinVersion": "0", "Hops": "0", "QualityExt": "80"}
    return f"<{element} {_attributes(attributes)}/>"


def _attributes(values: dict[str, str]) -> str:
    """Return attributes as XML writes them."""
    return " ".join(f"{name}={quoteattr(value)}" for name, value in values.items())


def upnp_xml(config: SimulatorConfig, url: str) -> str:
    """Return the device description that UPnP points to."""
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n'
        '<root xmlns="urn:schemas-upnp-org:device-1-0">'
        "<specVersion><major>1</major><minor>0</minor></specVersion><device>"
        "<deviceType>urn:schemas-upnp-org:device:HVAC_System:1</deviceType>"
        f"<friendlyName>Loxone Miniserver {config.name}</friendlyName>"
        "<manufacturer>Loxone Electronics GmbH</manufacturer>"
        "<manufacturerURL>http://www.loxone.com</manufacturerURL>"
        "<modelName>Loxone Miniserver</modelName>"
        f"<serialNumber>{config.serial}</serialNumber>"
        f"<UDN>uuid:{config.serial.lower()}-0000-0000-0000-000000000000</UDN>"
        f"<presentationURL>{url}</presentationURL></device></root>\n"
    )


def discovery_text(unit: Miniserver, port: int) -> str:
    """Return what the unit answers to a search by UDP.

    Source: the formats that public tools read; the later fields vary with firmware.
    """
    config = unit.config
    return (
        f"LoxLIVE: {config.name} {config.host}:{port} {config.serial} "
        f"{config.firmware} Prog:{unit.structure.last_modified} Type:{config.type} "
        f"HwId:A0000 IPv6:fe80::5294:94ff:fea0:1,0c000001:{config.firmware}/O"
    )
