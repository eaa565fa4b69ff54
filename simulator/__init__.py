"""A Loxone Miniserver on real sockets, with wallboxes, cars and meters behind it.

    from simulator import Car, Simulator, SimulatorConfig, User, WallboxConfig

    config = SimulatorConfig(
        users=(User(name="admin", password="..."),),
        wallboxes=(WallboxConfig(name="Garage", variant="11kw_tree"),),
    )
    async with Simulator(config) as sim:          # or await sim.start() / sim.stop()
        sim.port, sim.tls_port, sim.control_port, sim.discovery_port, sim.url
        sim.tls_name, sim.ca_pem                  # host name and CA of its certificate
        box = sim.wallboxes[0]                    # .uuid .state_uuids .snapshot()
        box.plug(Car(capacity_kwh=77, energy_kwh=17))
        box.unplug()
        box.set_allowed(True)                     # as somebody in Loxone's app does it:
        box.set_mode(3); box.set_manual_limit(6)  # no command of a client is recorded
        box.set_loadshed(True); box.lock("why"); box.unlock()
        box.set_online(False); box.tamper(True); box.set_error(101)
        sim.commands                              # control commands that clients sent
        sim.clients                               # open websockets
        sim.fault("numeric_codes"); sim.clear()   # simulator.faults.FAULTS names all
        sim.meters                                # Modbus meters: simulator.meters
        await sim.drop(hard=True)                 # reset the connections
        await sim.restart(down_s=30)              # id 5, close, 503 for a while
        await sim.change_structure(rename={"Garage": "Left"}, add=(...), remove=(...))
        await sim.close_clients(4005)
        sim.tick(); sim.advance(60)               # with a ManualClock

Everything that happens is read from `clock` (`time()` and `monotonic()`); it is the
system's by default. The protocol follows Loxone's own papers "Communicating with the
Miniserver" and "Structure File"; every docstring that stands on one of them says so.
"""

from .car import Car
from .clock import Clock, ManualClock, SystemClock
from .config import ALL_RIGHTS, Mode, Right, SimulatorConfig, User, WallboxConfig
from .meters.config import MeterConfig
from .simulator import Simulator

__all__ = [
    "ALL_RIGHTS",
    "Car",
    "Clock",
    "ManualClock",
    "MeterConfig",
    "Mode",
    "Right",
    "Simulator",
    "SimulatorConfig",
    "SystemClock",
    "User",
    "WallboxConfig",
]
