"""What a check has found, printed and counted."""

from collections.abc import Awaitable, Callable
import time

from scripts.demo_lib.api import wait_for
from scripts.demo_lib.entities import Wallbox
from scripts.demo_lib.progress import SIGN_OF_LIFE_S, DemoError


class Findings:
    """Observations that agree with what was expected; the first that does not ends."""

    def __init__(self) -> None:
        """Start with none."""
        self._began = time.monotonic()
        self.passed = 0

    def begin(self) -> None:
        """Count the seconds from here."""
        self._began = time.monotonic()

    def note(self, text: str) -> None:
        """Print an observation that agrees with what was expected."""
        self.passed += 1
        print(f"  {time.monotonic() - self._began:5.1f} s  {text}", flush=True)

    def require(self, agrees: object, text: str) -> None:
        """Take an observation; raise where it does not agree."""
        if not agrees:
            raise DemoError(f"Not as it should be: {text}.")
        self.note(text)

    async def wait[T](
        self, what: str, look: Callable[[], Awaitable[T | None]], patience_s: float
    ) -> T:
        """Look again and again until there is something, and say so meanwhile."""
        spoke = time.monotonic()

        async def look_and_speak() -> T | None:
            """Look, and print a line when nothing was printed for a while."""
            nonlocal spoke
            found = await look()
            if found is None and time.monotonic() - spoke > SIGN_OF_LIFE_S:
                spoke = time.monotonic()
                print(f"           … waiting for {what}", flush=True)
            return found

        return await wait_for(what, look_and_speak, patience_s)

    async def becomes(
        self, wallbox: Wallbox, key: str, wanted: str, patience_s: float
    ) -> None:
        """Wait for a state of an entity."""
        seen = ""

        async def look() -> str | None:
            """Return the state once it is the one."""
            nonlocal seen
            seen = await wallbox.state(key)
            return seen if seen == wanted else None

        try:
            await self.wait(f"{key} to be {wanted}", look, patience_s)
        except DemoError as err:
            raise DemoError(f"{err} It is {seen}.") from None
        self.note(f"{wallbox.name}: {key} is {wanted}")
