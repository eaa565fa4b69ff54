"""The WallboxManager: shares a maximum among the wallboxes below it.

Source: Structure File, "WallboxManager", and Loxone's page of the block.
"""

from collections.abc import Sequence
from typing import Any

from .config import SimulatorConfig
from .identifiers import make_uuid
from .states import Value
from .wallbox import Wallbox

_ECO_POWER, _MAXIMUM = 1, 8
_NOT_ALLOWED, _ECO, _PRIORITY = 0, 1, 2
_IDLE_KW = 1.3
PRICE_ECO, PRICE_PRIORITY = 0.1, 0.2


class Manager:
    """The block above the managed wallboxes."""

    def __init__(self, config: SimulatorConfig, wallboxes: Sequence[Wallbox]) -> None:
        """Take the wallboxes that stand under it."""
        self._wallboxes = wallboxes
        self.maximum_kw = config.manager_max_kw
        self.eco_kw = config.manager_eco_kw
        self.uuid = make_uuid(config.serial, "manager")
        names = ["priceEco", "pricePrio", "priceHour", "Peco", "Pmax", "Cp", "Ap"]
        for index in range(len(wallboxes)):
            names += [f"actual{index}", f"limitedBy{index}"]
        self.state_uuids = {
            name: make_uuid(config.serial, "manager", name) for name in names
        }
        self.node_uuids = [
            make_uuid(config.serial, "manager", "node", box.name) for box in wallboxes
        ]

    def assign(self) -> None:
        """Give every wallbox its share: first the minimum, then the rest in order."""
        rest = self.maximum_kw
        wants: list[tuple[Wallbox, float]] = []
        for box in self._by_priority():
            box.limited_by = 0
            box.assigned_kw = 0.0
            if not box.enabled or box.mode == _NOT_ALLOWED:
                continue
            if not box.connected:
                # An idle wallbox is kept ready with its minimum.
                box.assigned_kw = box.config.minimum_kw or _IDLE_KW
                continue
            least = box.config.minimum_kw
            if rest < least:
                box.limited_by |= _MAXIMUM
                continue
            box.assigned_kw = least
            rest -= least
            most = box.config.maximum_kw
            if box.mode == _ECO and self.eco_kw < most:
                box.limited_by |= _ECO_POWER
                most = max(self.eco_kw, least)
            wants.append((box, most))
        for box, most in wants:
            more = min(most - box.assigned_kw, rest)
            if more < most - box.assigned_kw:
                box.limited_by |= _MAXIMUM
            box.assigned_kw += more
            rest -= more

    def values(self) -> dict[str, Value]:
        """Return the values of the states by name."""
        values: dict[str, Value] = {
            "priceEco": PRICE_ECO,
            "pricePrio": PRICE_PRIORITY,
            "priceHour": 0.0,
            "Peco": self.eco_kw,
            "Pmax": self.maximum_kw,
            "Cp": round(sum(box.power_kw for box in self._wallboxes), 3),
            "Ap": round(sum(box.assigned_kw for box in self._wallboxes), 3),
        }
        for index, box in enumerate(self._wallboxes):
            values[f"actual{index}"] = round(box.assigned_kw, 3)
            values[f"limitedBy{index}"] = float(box.limited_by)
        return values

    def nodes(self) -> list[dict[str, Any]]:
        """Return the tree of nodes as the structure file lists it."""
        return [
            {
                "uuid": node,
                "nodeType": "Wallbox",
                "title": box.name,
                "icon": "IconsFilled/eco-car-charge.svg",
                "actualState": f"actual{index}",
                "limitedByState": f"limitedBy{index}",
                "ctrlUuid": box.uuid,
            }
            for index, (node, box) in enumerate(
                zip(self.node_uuids, self._wallboxes, strict=True)
            )
        ]

    def node_values(self, uuids: Sequence[str]) -> dict[str, Any] | None:
        """Return the figures of some nodes, None if one of them is unknown."""
        known = dict(zip(self.node_uuids, self._wallboxes, strict=True))
        if any(node not in known for node in uuids):
            return None
        return {
            node: {
                "assigned": round(known[node].assigned_kw, 3),
                "used": round(known[node].power_kw, 3),
                "limitedBy": known[node].limited_by,
                "demand": known[node].config.maximum_kw * known[node].connected,
                "priority": known[node].mode == _PRIORITY,
            }
            for node in uuids
        }

    def _by_priority(self) -> list[Wallbox]:
        """Return the wallboxes, prioritised ones first."""
        return sorted(self._wallboxes, key=lambda box: box.mode != _PRIORITY)
