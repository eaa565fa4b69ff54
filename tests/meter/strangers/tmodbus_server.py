"""A server of tmodbus: `tcp` or `rtu_over_tcp`."""

import asyncio
import sys

from tmodbus.exceptions import IllegalDataAddressError
from tmodbus.pdu import ReadHoldingRegistersPDU, ReadInputRegistersPDU
from tmodbus.server import AsyncRtuOverTcpServer, AsyncTcpServer, ModbusRequestRouter

from .registers import Served, Space, ready


def router_of(served: Served) -> ModbusRequestRouter:
    """Return what answers requests."""
    router = ModbusRequestRouter()

    def answer(
        space: Space, request: ReadHoldingRegistersPDU | ReadInputRegistersPDU
    ) -> list[int]:
        """Return registers, or refuse."""
        found = served.read(space, request.start_address, request.quantity)
        if found is None:
            raise IllegalDataAddressError(request.function_code)
        return found

    @router.register(ReadHoldingRegistersPDU, unit_id=served.unit)
    async def holding(_unit: int, request: ReadHoldingRegistersPDU) -> list[int]:
        """Answer function 3."""
        return answer("holding", request)

    @router.register(ReadInputRegistersPDU, unit_id=served.unit)
    async def input_registers(_unit: int, request: ReadInputRegistersPDU) -> list[int]:
        """Answer function 4."""
        return answer("input", request)

    return router


async def main(link: str) -> None:
    """Serve until the process is ended."""
    make = {"tcp": AsyncTcpServer, "rtu_over_tcp": AsyncRtuOverTcpServer}[link]
    server = make("127.0.0.1", router_of(Served.load()), port=0)
    await server.start()
    assert server._server is not None
    ready(server._server.sockets[0].getsockname()[1])
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
