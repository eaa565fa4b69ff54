"""Wallboxes whose history has to go, until it has: what a removal leaves to be done.

Takes and gives a wallbox's name; blocking, called in the executor. The database may be
away when an owner removes a wallbox, and must not bring its sessions back later.
"""

from pathlib import Path

from .journal import Journal


class Wipes:
    """Whose rows the database has to lose."""

    def __init__(self, path: Path) -> None:
        """Take the file's path."""
        self._journal = Journal(path)

    def pending(self) -> set[str]:
        """Return the wallboxes that are still to be done; raises `JournalError`."""
        latest = self._journal.read().latest("wallbox")
        return {str(name) for name, line in latest.items() if not line.get("done")}

    def note(self, wallbox: str) -> None:
        """Take note of a wallbox; raises `JournalError`."""
        self._journal.append({"wallbox": wallbox, "done": False})

    def done(self, wallbox: str) -> None:
        """Take note that nothing of a wallbox is left; raises `JournalError`."""
        if self.pending() <= {wallbox}:
            self._journal.delete()
        else:
            self._journal.append({"wallbox": wallbox, "done": True})
