"""Stay connected to a Miniserver and keep its wallboxes' states.

Takes an address and credentials, gives states, structure and confirmation that a
command was taken. Reconnects by itself with a jittered, doubling pause; stops for good
only when the Miniserver refuses the login, because trying again would block us.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
import logging
import random
import time
from urllib.parse import quote

import aiohttp

from .auth import Credentials, Token
from .backoff import Backoff
from .clock import MiniserverClock, read_clock
from .commands import Allow, Command, SetManualLimit, SetMode, SetModeAfterUnplug
from .dropped import Dropped
from .errors import (
    AuthenticationError,
    IdentityError,
    MiniserverConnectionError,
    MiniserverError,
    MiniserverStartingError,
    NotConnectedError,
    StructureError,
)
from .frames import Kind
from .http import Address, Identity, SslOption, identify
from .link import Link
from .listener import ClientListener
from .states import StateStore
from .structure import Structure, parse_structure
from .tracker import TrackerLog
from .wallbox import WallboxSession, WallboxState

_LOGGER = logging.getLogger(__name__)

# A link that broke sooner than this was none: the pause goes on growing.
STEADY_S = 60.0
FIRST_STATES_TIMEOUT_S = 10.0
FIRST_TEXTS_TIMEOUT_S = 3.0
REFRESH_RETRY_S = 3600.0
# A renewal that is under way when the link is to be closed.
RENEWAL_PATIENCE_S = 5.0
STRUCTURE_CHECK_DELAY_S = 2.0


class MiniserverClient:
    """A Miniserver as seen by one user."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        address: Address,
        credentials: Credentials,
        *,
        listener: ClientListener | None = None,
        expected_serial: str | None = None,
        certificate: SslOption = True,
        now: Callable[[], float] = time.time,
        jitter: Callable[[float, float], float] = random.uniform,
    ) -> None:
        """Prepare; nothing is sent before `connect`.

        `now` gives seconds UTC, `jitter` a number between two.
        """
        self._session = session
        self._address = address
        self._credentials = credentials
        self._listener = listener
        self._expected_serial = expected_serial
        self._certificate = certificate
        self._now = now
        self._backoff = Backoff(jitter)
        self._link: Link | None = None
        # Where event tables go; it becomes the store once its states have arrived.
        self._incoming: StateStore | None = None
        self.dropped = Dropped(now, self._tell)
        self._store: StateStore | None = None
        self._arrived = asyncio.Event()
        # Not set while no new link is wanted.
        self._wanted = asyncio.Event()
        self._wanted.set()
        self._supervisor: asyncio.Task[None] | None = None
        self._upkeep: asyncio.Task[None] | None = None
        self._renewal: asyncio.Task[Token] | None = None
        self._structure_check: asyncio.TimerHandle | None = None
        self._checks: set[asyncio.Task[None]] = set()
        self._structure: Structure | None = None
        self._identity: Identity | None = None
        self.connections = 0
        # Whether it said that it restarts since the last link broke.
        self.restarted = False

    @property
    def connected(self) -> bool:
        """Tell whether the states are up to date."""
        return self._link is not None and self._link.is_open

    @property
    def identity(self) -> Identity:
        """Return who the Miniserver is; known once connected."""
        if self._identity is None:
            raise NotConnectedError("The Miniserver was never reached")
        return self._identity

    @property
    def structure(self) -> Structure:
        """Return what the user may see; known once connected."""
        if self._structure is None:
            raise NotConnectedError("The Miniserver was never reached")
        return self._structure

    @property
    def token(self) -> Token | None:
        """Return the token in use."""
        return self._credentials.token

    @property
    def address(self) -> Address:
        """Return where the Miniserver is."""
        return self._address

    def wallbox(self, wallbox_id: str) -> WallboxState:
        """Return the last known state of a wallbox."""
        return (
            WallboxState() if self._store is None else self._store.wallbox(wallbox_id)
        )

    def tracker(self, wallbox_id: str) -> TrackerLog[WallboxSession] | None:
        """Return the last known log of a wallbox's sessions, None until there is one.

        It is the same object until another one arrives.
        """
        return None if self._store is None else self._store.tracker(wallbox_id)

    def diagnostic(self, control_id: str) -> float | None:
        """Return the last known value of a diagnostic control."""
        return None if self._store is None else self._store.diagnostic(control_id)

    async def connect(self) -> None:
        """Connect once; raises whatever stands in the way."""
        # The name in the certificate needs the serial number, so this first question
        # goes unverified; the websocket, through which all else goes, is verified
        # against that serial number.
        identity = await identify(self._session, self._address, certificate=False)
        if self._expected_serial not in {None, identity.serial}:
            raise IdentityError(
                expected=str(self._expected_serial), found=identity.serial
            )
        link = await Link.open(
            self._session,
            self._address,
            identity,
            self._on_table,
            certificate=self._certificate,
        )
        try:
            store = await self._prepare(link, identity)
        except BaseException:
            self._incoming = None
            await link.close()
            raise
        known, self._structure = self._structure, store.structure
        self._store, self._link = store, link
        self._identity = replace(identity, certificate=link.certificate)
        self.connections += 1
        self._upkeep = asyncio.get_running_loop().create_task(self._keep_token(link))
        if known is not None and known is not store.structure:
            self._tell(lambda listener: listener.structure_changed(store.structure))

    def start(self) -> None:
        """Watch over the link from now on, also across its losses."""
        self._supervisor = asyncio.get_running_loop().create_task(self._supervise())

    async def close(self) -> None:
        """End the link with a close frame and stop watching."""
        self._incoming = None
        if self._renewal is not None and not self._renewal.done():
            # The old token is gone with the answer, so the new one must not be lost.
            await asyncio.wait((self._renewal,), timeout=RENEWAL_PATIENCE_S)
        tasks = [
            task for task in (self._supervisor, self._upkeep, *self._checks) if task
        ]
        if self._structure_check is not None:
            self._structure_check.cancel()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._link is not None:
            link, self._link = self._link, None
            await link.close()

    async def part(self) -> None:
        """End the link, and make no new one before `rejoin`."""
        self._wanted.clear()
        if self._link is not None:
            await self._link.close()

    def rejoin(self) -> None:
        """Make a new link again, as after any loss."""
        self._wanted.set()

    async def pulse(self, name: str) -> None:
        """Give a pulse to a virtual input by name or id; raises `MiniserverError`."""
        await self._open_link().control(quote(name, safe=""), "pulse", name="pulse")

    async def revoke_token(self) -> None:
        """End the token on the Miniserver, so that nobody can use it any more.

        The Miniserver may end the link with it.
        """
        token = self._credentials.token
        if token is not None and self._link is not None:
            await self._link.kill_token(self._credentials.username, token)
            self._credentials = replace(self._credentials, token=None)

    async def clock(self, now: Callable[[], datetime]) -> MiniserverClock:
        """Return what the Miniserver's clock shows, compared with `now` in UTC.

        Raises `MiniserverError`; not every firmware and user may ask.
        """
        return await read_clock(self._open_link(), now)

    def _open_link(self) -> Link:
        """Return the link, where there is one."""
        if self._link is None or not self._link.is_open:
            raise NotConnectedError("There is no link to the Miniserver")
        return self._link

    async def send(
        self,
        wallbox_id: str,
        command: Command,
        *,
        visualisation_password: str | None = None,
    ) -> None:
        """Send a command; done when the Miniserver has taken it, not yet obeyed it.

        A wallbox protected by a visualisation password needs it with every command.
        """
        link = self._open_link()
        wallbox = self.structure.wallboxes.get(wallbox_id)
        if wallbox is None or not wallbox.secured or not visualisation_password:
            await link.control(wallbox_id, command.text, name=command.name)
            return
        await link.secured_control(
            wallbox_id,
            command.text,
            name=command.name,
            username=self._credentials.username,
            password=visualisation_password,
        )

    async def allow(self, wallbox_id: str, on: bool) -> None:
        """Allow or forbid charging."""
        await self.send(wallbox_id, Allow(on))

    async def set_mode(self, wallbox_id: str, mode: int) -> None:
        """Choose a charge mode: 1 to 5, or 99 for the manual limit."""
        await self.send(wallbox_id, SetMode(mode))

    async def set_manual_limit(self, wallbox_id: str, limit_kw: float) -> None:
        """Set the manual power limit in kW."""
        await self.send(wallbox_id, SetManualLimit(limit_kw))

    async def set_mode_after_unplug(self, wallbox_id: str, mode: int) -> None:
        """Choose the mode after unplugging: 1 to 5, or 0 to keep it."""
        await self.send(wallbox_id, SetModeAfterUnplug(mode))

    async def _prepare(self, link: Link, identity: Identity) -> StateStore:
        """Log in, read the structure where it changed and wait for all states."""
        self._keep(await link.log_in(self._credentials, self._now))
        store = StateStore(await self._load_structure(link, identity), self.dropped)
        self._incoming = store
        link.broken.add_done_callback(lambda _: self._arrived.set())
        await link.enable_updates()
        await self._wait_for(store.has_values, link, FIRST_STATES_TIMEOUT_S)
        await self._wait_for(store.has_texts, link, FIRST_TEXTS_TIMEOUT_S)
        if not link.is_open:
            raise link.broken.result()
        return store

    async def _wait_for(
        self, complete: Callable[[], bool], link: Link, patience_s: float
    ) -> None:
        """Wait for states, but not for ever: an old block may not have them all."""
        with suppress(TimeoutError):
            async with asyncio.timeout(patience_s):
                while link.is_open and not complete():
                    self._arrived.clear()
                    await self._arrived.wait()

    async def _load_structure(self, link: Link, identity: Identity) -> Structure:
        """Read the structure file, unless we have the one of this version."""
        version = await link.structure_version()
        known = self._structure
        if known is not None and known.last_modified == version:
            return known
        text = await link.structure_file()
        structure = await asyncio.to_thread(parse_structure, text, local=identity.local)
        if structure.serial != identity.serial:
            raise StructureError("The structure file is another Miniserver's")
        return structure

    def _keep(self, token: Token) -> None:
        """Use a token from now on and have it stored where it is new."""
        known = self._credentials.token
        self._credentials = replace(self._credentials, token=token)
        if token != known:
            self._tell(lambda listener: listener.token_changed(token))

    def _on_table(self, kind: Kind, payload: bytes) -> None:
        """Take an event table."""
        store = self._incoming
        if store is None:
            return
        changed = store.take(kind, payload)
        if store is not self._store:
            self._arrived.set()
        elif changed:
            self._tell(lambda listener: listener.states_changed(changed))
        if store.structure_modified:
            store.structure_modified = False
            self._schedule_structure_check()

    def _schedule_structure_check(self) -> None:
        """Look at the structure soon; several edits come in one go."""
        link = self._link
        if self._structure_check is None and link is not None and link.is_open:
            self._structure_check = asyncio.get_running_loop().call_later(
                STRUCTURE_CHECK_DELAY_S, self._start_structure_check, link
            )

    def _start_structure_check(self, link: Link) -> None:
        """Run the check in a task that is kept until its end."""
        self._structure_check = None
        task = asyncio.get_running_loop().create_task(self._check_structure(link))
        self._checks.add(task)
        task.add_done_callback(self._checks.discard)

    async def _check_structure(self, link: Link) -> None:
        """Take up an edit of the structure; states need a new start to be complete."""
        try:
            if await link.structure_version() != self.structure.last_modified:
                await link.close()
        except MiniserverError as err:
            _LOGGER.debug("The structure's version could not be read: %s", err)

    async def _supervise(self) -> None:
        """Wait for the link to break and bring it up again."""
        loop = asyncio.get_running_loop()
        while (link := self._link) is not None:
            since = loop.time()
            # Who stops waiting must not end the link's own future.
            broken = await asyncio.shield(link.broken)
            if loop.time() - since > STEADY_S:
                self._backoff.reset()
            await self._let_go(link, broken)
            error: MiniserverError | None = broken
            self.restarted = False
            while error is not None:
                self.restarted |= isinstance(error, MiniserverStartingError)
                self._report(error)
                if isinstance(error, AuthenticationError):
                    return
                await asyncio.sleep(self._backoff.next(error))
                await self._wanted.wait()
                error = await self._try_connect()
            self._tell(lambda listener: listener.connection_made())

    async def _try_connect(self) -> MiniserverError | None:
        """Connect once and return what stands in the way, None for nothing."""
        try:
            await self.connect()
        except MiniserverError as err:
            _LOGGER.debug("Still no link: %s", err)
            return err
        except Exception as err:
            # A fault of ours must not end the watch.
            _LOGGER.exception("Connecting failed")
            return MiniserverConnectionError(str(err))
        return None

    def _report(self, error: MiniserverError) -> None:
        """Say why there is no link; a refused login is the last word."""
        if isinstance(error, AuthenticationError):
            self._tell(lambda listener: listener.credentials_refused(error))
        else:
            self._tell(lambda listener: listener.attempt_failed(error))

    async def _let_go(self, link: Link, error: MiniserverError) -> None:
        """Put a broken link away."""
        self._incoming = None
        if self._upkeep is not None:
            self._upkeep.cancel()
        self._tell(lambda listener: listener.connection_lost(error))
        await link.close()

    async def _keep_token(self, link: Link) -> None:
        """Renew the token before it ends, for as long as this link lives."""
        while (token := self._credentials.token) is not None:
            await asyncio.sleep(token.refresh_in(self._now()))
            self._renewal = asyncio.get_running_loop().create_task(
                link.refresh_token(self._credentials.username, token)
            )
            self._renewal.add_done_callback(self._renewed)
            await asyncio.wait((self._renewal,))
            try:
                self._renewal.result()
            except AuthenticationError:
                # Not tried again. The link stays logged in; the next login will show.
                _LOGGER.debug("The token cannot be renewed: it is refused")
                return
            except MiniserverError as err:
                if not link.is_open:
                    return
                _LOGGER.debug("The token could not be renewed: %s", err)
                await asyncio.sleep(REFRESH_RETRY_S)

    def _renewed(self, renewal: asyncio.Task[Token]) -> None:
        """Keep the new token, also when nobody waits for it any more."""
        if not renewal.cancelled() and renewal.exception() is None:
            self._keep(renewal.result())

    def _tell(self, report: Callable[[ClientListener], None]) -> None:
        """Tell the listener; its faults are its own and must not end the link."""
        if self._listener is None:
            return
        try:
            report(self._listener)
        except Exception:
            _LOGGER.exception("A listener failed")
