"""Set a Miniserver and its wallboxes up."""

import asyncio
from collections.abc import Mapping
from ipaddress import ip_address
from typing import Any, cast, override

import probatio
from yarl import URL

from homeassistant.components import network
from homeassistant.config_entries import (
    ConfigEntry,
    ConfigFlow,
    ConfigFlowResult,
    ConfigSubentryData,
    ConfigSubentryFlow,
    OptionsFlow,
)
from homeassistant.const import CONF_HOST, CONF_PASSWORD, CONF_PORT
from homeassistant.core import callback
from homeassistant.helpers.selector import (
    SelectOptionDict,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
)
from homeassistant.helpers.service_info.dhcp import DhcpServiceInfo
from homeassistant.helpers.service_info.ssdp import ATTR_UPNP_SERIAL, SsdpServiceInfo

from .connect import revoke_replaced_token, revoke_token
from .const import (
    CONF_CLIENT_ID,
    CONF_ENCRYPTION,
    CONF_SERIAL,
    CONF_STORE_PASSWORD,
    DOMAIN,
    LOGGER,
    SUBENTRY_WALLBOX,
)
from .flow_connection import (
    DEFAULT_PORT,
    FlowError,
    Login,
    check_login,
    connection_schema,
    encryption_of,
    flatten,
    reauth_schema,
    who_is_there,
    who_moved_there,
)
from .flow_options import LoxoneWallboxOptionsFlow
from .flow_subentry import WallboxSubentryFlow
from .flow_wallbox import CONF_WALLBOXES, WallboxSteps, wallboxes_selector
from .miniserver import DiscoveredMiniserver, discover, new_client_id
from .miniserver.errors import MiniserverError

CONF_MINISERVER = "miniserver"
ENTER_ADDRESS = "enter_address"
GENERAL_BROADCAST = "255.255.255.255"


class LoxoneWallboxConfigFlow(
    WallboxSteps[ConfigFlowResult], ConfigFlow, domain=DOMAIN
):
    """Find a Miniserver, log in, pick its wallboxes."""

    VERSION = 1
    MINOR_VERSION = 1

    def __init__(self) -> None:
        """Start with nothing known."""
        self._scan: asyncio.Task[tuple[DiscoveredMiniserver, ...]] | None = None
        self._found: dict[str, DiscoveredMiniserver] = {}
        self._answers: dict[str, Any] = {}
        # One for all tries, so that the Miniserver keeps one token of ours.
        self._client_id = new_client_id()
        # A login that no entry was made of yet.
        self._login: Login | None = None
        self._closed = False

    @classmethod
    @callback
    @override
    def async_get_supported_subentry_types(
        cls, config_entry: ConfigEntry
    ) -> dict[str, type[ConfigSubentryFlow]]:
        """Return what an entry can have more of."""
        return {SUBENTRY_WALLBOX: WallboxSubentryFlow}

    @staticmethod
    @callback
    @override
    def async_get_options_flow(config_entry: ConfigEntry) -> OptionsFlow:
        """Return the flow for the entry's options."""
        return LoxoneWallboxOptionsFlow()

    @callback
    @override
    def async_remove(self) -> None:
        """Stop what goes on, and give back a token that no entry was made of."""
        super().async_remove()
        if self._scan is not None:
            self._scan.cancel()
        self._closed = True
        self._give_back()

    @callback
    def _give_back(self) -> None:
        """Have a token ended that no entry was made of."""
        if self._login is not None:
            self.hass.async_create_task(revoke_token(self.hass, self._login.data))

    @override
    async def async_step_user(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Search the local network, which takes some seconds."""
        if self._scan is None:
            self._scan = self.hass.async_create_task(self._async_scan())
        if not self._scan.done():
            return self.async_show_progress(
                step_id="user", progress_action="scan", progress_task=self._scan
            )
        known = self._async_current_ids()
        self._found = {
            miniserver.serial: miniserver
            for miniserver in self._scan.result()
            if miniserver.serial not in known
        }
        return self.async_show_progress_done(
            next_step_id="miniserver" if self._found else "connection"
        )

    async def _async_scan(self) -> tuple[DiscoveredMiniserver, ...]:
        """Ask the networks that Home Assistant uses; nobody there is no error.

        Adapters the owner chose are asked at their own addresses, as the general one
        would leave by others.
        """
        found = await network.async_get_ipv4_broadcast_addresses(self.hass)
        addresses = {str(address) for address in found}
        try:
            return await discover(addresses - {GENERAL_BROADCAST} or addresses)
        except MiniserverError as err:
            LOGGER.debug("The local network could not be searched: %s", err)
            return ()

    async def async_step_miniserver(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Choose among those that were found."""
        if user_input is not None:
            chosen = self._found.get(user_input[CONF_MINISERVER])
            if chosen is not None:
                self._answers = {CONF_HOST: chosen.host, CONF_PORT: chosen.port}
            return await self.async_step_connection()
        options = [
            SelectOptionDict(value=serial, label=f"{one.name} ({one.host})")
            for serial, one in self._found.items()
        ]
        return self.async_show_form(
            step_id="miniserver",
            data_schema=probatio.Schema(
                {
                    probatio.Required(
                        CONF_MINISERVER, default=options[0]["value"]
                    ): SelectSelector(
                        SelectSelectorConfig(
                            options=[
                                *options,
                                SelectOptionDict(
                                    value=ENTER_ADDRESS, label=ENTER_ADDRESS
                                ),
                            ],
                            mode=SelectSelectorMode.LIST,
                            translation_key=CONF_MINISERVER,
                        )
                    )
                }
            ),
            last_step=False,
        )

    async def async_step_connection(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for address and login, and try them."""
        error = FlowError("")
        if user_input is not None:
            self._answers = flatten(user_input)
            try:
                self._login = await check_login(
                    self.hass, self._answers, client_id=self._client_id
                )
            except FlowError as err:
                error = err
            else:
                if self._closed:
                    # Somebody closed the dialogue while it logged in.
                    self._give_back()
                await self.async_set_unique_id(
                    self._login.serial, raise_on_progress=False
                )
                self._abort_if_unique_id_configured()
                self.structure = self._login.structure
                return await self.async_step_wallboxes()
        return self._connection_form("connection", self._answers, error, last=False)

    def _connection_form(
        self,
        step_id: str,
        defaults: Mapping[str, Any],
        error: FlowError,
        *,
        last: bool = True,
    ) -> ConfigFlowResult:
        """Show the form for address and login, with what went wrong."""
        return self.async_show_form(
            step_id=step_id,
            data_schema=connection_schema(defaults),
            errors={on: key for on, key in error.errors.items() if key},
            description_placeholders=error.placeholders,
            last_step=last,
        )

    async def async_step_wallboxes(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Pick the wallboxes."""
        wallboxes = list(self.structure.wallboxes.values())
        errors = {}
        if user_input is not None:
            picked = set(user_input[CONF_WALLBOXES])
            if picked:
                return await self.async_walk(
                    [info for info in wallboxes if info.id in picked]
                )
            errors[CONF_WALLBOXES] = "nothing_picked"
        return self.async_show_form(
            step_id="wallboxes",
            data_schema=probatio.Schema(
                {
                    probatio.Required(
                        CONF_WALLBOXES, default=[info.id for info in wallboxes]
                    ): wallboxes_selector(wallboxes)
                }
            ),
            errors=errors,
            description_placeholders={"miniserver": self.structure.name},
            last_step=False,
        )

    @override
    async def async_finish(
        self, wallboxes: list[ConfigSubentryData]
    ) -> ConfigFlowResult:
        """Create the entry with its wallboxes."""
        self._abort_if_unique_id_configured()
        login, self._login = cast(Login, self._login), None
        return self.async_create_entry(
            title=self.structure.name, data=login.data, subentries=wallboxes
        )

    @override
    async def async_step_dhcp(
        self, discovery_info: DhcpServiceInfo
    ) -> ConfigFlowResult:
        """Take a device of Loxone's that asked for an address."""
        serial = discovery_info.macaddress.replace(":", "").upper()
        return await self._async_discovered(discovery_info.ip, serial)

    @override
    async def async_step_ssdp(
        self, discovery_info: SsdpServiceInfo
    ) -> ConfigFlowResult:
        """Take a device of Loxone's that announced itself."""
        serial = str(discovery_info.upnp.get(ATTR_UPNP_SERIAL, ""))
        try:
            host = URL(discovery_info.ssdp_location or "").host
        except ValueError:
            host = None
        if not host or not serial:
            return self.async_abort(reason="not_a_miniserver")
        return await self._async_discovered(host, serial.replace(":", "").upper())

    async def _async_discovered(self, host: str, serial: str) -> ConfigFlowResult:
        """Follow a known Miniserver to its new address, or offer a new one.

        Loxone makes other devices with such addresses too, and an address may belong to
        somebody else by now, so it is asked first.
        """
        known = await self.async_set_unique_id(serial)
        # One that is ignored has no address.
        at = None if known is None else known.data.get(CONF_HOST, "")
        if at is not None and (at == host or not _is_ip(at)):
            self._abort_if_unique_id_configured()
        try:
            if known is None:
                identity = await who_is_there(self.hass, host, DEFAULT_PORT)
            else:
                identity = await who_moved_there(self.hass, host, known.data)
        except FlowError:
            return self.async_abort(reason="not_a_miniserver")
        if identity.serial != serial:
            return self.async_abort(reason="not_a_miniserver")
        if known is not None and known.data.get(CONF_HOST) != at:
            # The owner was faster.
            self._abort_if_unique_id_configured()
        self._abort_if_unique_id_configured(updates={CONF_HOST: host})
        self._answers = {CONF_HOST: host, CONF_PORT: DEFAULT_PORT}
        self.context["title_placeholders"] = {"name": f"Miniserver {host}"}
        return await self.async_step_connection()

    async def async_step_reauth(
        self,
        entry_data: Mapping[str, Any],  # noqa: ARG002
    ) -> ConfigFlowResult:
        """Ask anew for a login the Miniserver refused."""
        return await self.async_step_reauth_confirm()

    async def async_step_reauth_confirm(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Try another login at the same Miniserver."""
        entry = self._get_reauth_entry()
        error = FlowError("")
        if user_input is not None:
            answers = {
                **entry.data,
                CONF_ENCRYPTION: encryption_of(entry.data),
                **user_input,
            }
            try:
                login = await self._async_login_again(entry, answers)
            except FlowError as err:
                error = err
            else:
                return self.async_update_reload_and_abort(entry, data=login.data)
        return self.async_show_form(
            step_id="reauth_confirm",
            data_schema=reauth_schema(
                {
                    **entry.data,
                    CONF_STORE_PASSWORD: CONF_PASSWORD in entry.data,
                    **(user_input or {}),
                }
            ),
            errors={
                # The form has no address to complain about.
                ("base" if on == CONF_HOST else on): key
                for on, key in error.errors.items()
                if key
            },
            description_placeholders={"miniserver": entry.title, **error.placeholders},
        )

    async def async_step_reconfigure(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Change address or login of the same Miniserver."""
        entry = self._get_reconfigure_entry()
        defaults = {
            **entry.data,
            CONF_ENCRYPTION: encryption_of(entry.data),
            CONF_STORE_PASSWORD: CONF_PASSWORD in entry.data,
        }
        error = FlowError("")
        if user_input is not None:
            defaults |= (answers := flatten(user_input))
            try:
                login = await self._async_login_again(entry, answers)
            except FlowError as err:
                error = err
            else:
                before = dict(entry.data)
                self.hass.async_create_task(
                    revoke_replaced_token(self.hass, before, login.data)
                )
                return self.async_update_reload_and_abort(entry, data=login.data)
        return self._connection_form("reconfigure", defaults, error)

    async def _async_login_again(
        self, entry: ConfigEntry, answers: Mapping[str, Any]
    ) -> Login:
        """Log in at the Miniserver of an entry, no other."""
        return await check_login(
            self.hass,
            answers,
            client_id=entry.data[CONF_CLIENT_ID],
            expected_serial=entry.data[CONF_SERIAL],
        )


def _is_ip(host: str) -> bool:
    """Tell whether a host is an address; a name is kept, its owner chose it."""
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
