"""Work that a flow shows as progress: what it says on its way and what it comes to."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from homeassistant.core import HomeAssistant, callback

# Called with the part that is done, 0 to 1, and with what the text mentions.
type Tell = Callable[[float, dict[str, str]], None]


class Job[T]:
    """A task in the background and the newest word from it.

    The task does not keep Home Assistant from stopping, and whoever started it has to
    cancel it when nobody waits for it any more.
    """

    def __init__(
        self,
        hass: HomeAssistant,
        work: Callable[[Tell], Coroutine[Any, Any, T]],
        shown: dict[str, str],
        update: Callable[[float], None],
    ) -> None:
        """Start working; `shown` is what the text mentions before the first word."""
        self.shown = shown
        self._hass = hass
        self._update = update
        self._news = asyncio.Event()
        # A step that is done at once would get the form's answers a second time.
        self._task = hass.async_create_background_task(
            work(self._tell), "meter setup", eager_start=False
        )
        self._task.add_done_callback(lambda _: self._news.set())
        self._waiting = self._wait()

    @callback
    def _tell(self, done: float, shown: dict[str, str]) -> None:
        """Take a word on how far it is."""
        self.shown = {**self.shown, **shown}
        self._update(min(done, 1.0))
        self._news.set()

    @property
    def done(self) -> bool:
        """Tell whether there is a result."""
        return self._task.done()

    @property
    def result(self) -> T:
        """Return the result; raise what the work raised."""
        return self._task.result()

    def waiting(self) -> asyncio.Task[bool]:
        """Return a task that ends when there is something new to show."""
        if self._waiting.done():
            self._waiting = self._wait()
        return self._waiting

    def _wait(self) -> asyncio.Task[bool]:
        """Wait for the next word."""
        self._news.clear()
        return self._hass.async_create_background_task(
            self._news.wait(), "meter setup news"
        )

    @callback
    def cancel(self) -> None:
        """Stop working; what the work holds is released soon after."""
        self._task.cancel()
        self._waiting.cancel()
