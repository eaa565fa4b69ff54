"""Modbus programs that are no kin of ours, and meters written down for them by hand.

Our reader is built on pymodbus and tmodbus, our simulated meters on pymodbus. What they
agree on could be a mistake of theirs or of ours; so servers of libmodbus, modbus-tk and
tmodbus stand in for meters here, and mbpoll (libmodbus) and tmodbus read the simulated
ones.
"""
