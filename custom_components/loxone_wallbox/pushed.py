"""A coordinator that is told what is new and never asks."""

from typing import override

from homeassistant.helpers.update_coordinator import DataUpdateCoordinator


class PushCoordinator[DataT](DataUpdateCoordinator[DataT]):
    """Gives what it has to who asks for an update, as `homeassistant.update_entity`.

    Without that such a request would count as a failed one, and all that hangs on the
    coordinator would be unavailable.
    """

    @override
    async def _async_update_data(self) -> DataT:
        """Return what was told last."""
        return self.data
