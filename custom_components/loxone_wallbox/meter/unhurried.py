"""Work that goes on when nobody waits for it any more.

The libraries let several callers wait for one attempt to connect. Python takes a caller
that is cancelled out of it and, where the attempt then fails, reports that as an error
nobody handled: each reload of a wallbox whose gateway is off would be one in the log.
"""

import asyncio
from collections.abc import Coroutine
from typing import Any


async def unhurried[T](work: Coroutine[Any, Any, T]) -> T:
    """Return what work comes to, or raise what it raises.

    A caller that is cancelled leaves it to end by itself, and its result to nobody.
    """
    task = asyncio.create_task(work)
    task.add_done_callback(_note)
    await asyncio.wait([task])
    return task.result()


def _note(task: asyncio.Task[Any]) -> None:
    """Take note of a failure, which is no news where nobody waits."""
    if not task.cancelled():
        task.exception()
