"""Energy meters on Modbus that measure the simulated wallboxes.

    SimulatorConfig(meters=(MeterConfig(profile="sdm630", wallbox="Garage"),))

    meter = sim.meters[0]                  # or sim.meters.find("sdm630")
    meter.address                          # 127.0.0.1:5020, or a serial device
    meter.truth()                          # what it really measures
    meter.replace(); meter.reset()         # another counter, or the same one at zero
    meter.reboot(seconds=5)                # answers nothing for a while
    meter.set_energy(999_999.9)            # close to where the counter begins anew
    meter.set_tariff(2)
    meter.fault("silent", times=3); meter.clear()   # meters.faults.METER_FAULTS
    meter.requests                         # what clients asked, and how it ended

What a meter measures is read from the simulator's clock; what happens on its wires
(pauses between requests, late replies) takes the time of the event loop, so that meters
also answer while a ManualClock stands still.

The layouts in maps.py are written from the makers' register tables and from nothing of
the integration, so that one mistake cannot hide in both.
"""
