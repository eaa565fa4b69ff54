"""A client for Loxone Miniservers that speaks of wallboxes, not of bytes.

Stands on aiohttp and cryptography alone and knows nothing of Home Assistant.
"""

from .auth import Credentials, Token, is_default_password, new_client_id
from .client import MiniserverClient
from .clock import MiniserverClock, Verdict
from .commands import Allow, Command, SetManualLimit, SetMode, SetModeAfterUnplug
from .discovery import DiscoveredMiniserver, discover
from .http import Address, Identity, identify
from .listener import ClientListener
from .structure import Structure
from .token_end import end_token
from .tracker import TrackerLog
from .wallbox import (
    MANUAL_MODE,
    ChargeMode,
    DiagnosticInfo,
    WallboxInfo,
    WallboxSession,
    WallboxState,
)

__all__ = [
    "MANUAL_MODE",
    "Address",
    "Allow",
    "ChargeMode",
    "ClientListener",
    "Command",
    "Credentials",
    "DiagnosticInfo",
    "DiscoveredMiniserver",
    "Identity",
    "MiniserverClient",
    "MiniserverClock",
    "SetManualLimit",
    "SetMode",
    "SetModeAfterUnplug",
    "Structure",
    "Token",
    "TrackerLog",
    "Verdict",
    "WallboxInfo",
    "WallboxSession",
    "WallboxState",
    "discover",
    "end_token",
    "identify",
    "is_default_password",
    "new_client_id",
]
