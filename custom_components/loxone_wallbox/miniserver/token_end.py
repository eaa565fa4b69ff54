"""End a token that nobody is going to use.

Takes a login with a token, gives nothing. Of the Miniserver only the login is needed: it
may have a structure that cannot be read.
"""

from dataclasses import replace
import time

import aiohttp

from .auth import Credentials
from .errors import IdentityError
from .http import Address, SslOption, identify
from .link import Link


async def end_token(
    session: aiohttp.ClientSession,
    address: Address,
    credentials: Credentials,
    *,
    expected_serial: str | None = None,
    certificate: SslOption = True,
) -> None:
    """Log in with a token and end it. Raises `MiniserverError`.

    The password is not used: a token that is of no use needs no end.
    """
    identity = await identify(session, address, certificate=False)
    if expected_serial not in {None, identity.serial}:
        raise IdentityError(expected=str(expected_serial), found=identity.serial)
    link = await Link.open(
        session, address, identity, lambda _kind, _table: None, certificate=certificate
    )
    try:
        token = await link.log_in(replace(credentials, password=None), time.time)
        await link.kill_token(credentials.username, token)
    finally:
        await link.close()
