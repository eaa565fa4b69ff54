"""Walk an owner through the setup of a wallbox's meter.

Asks for model and connection, tries them, shows what the meter shows, and finds out how
often it measures anew. What is typed is kept until the meter is set up or left out.
"""

from abc import abstractmethod
from collections.abc import Callable, Coroutine, Iterable, Mapping
from dataclasses import replace
from typing import Any

from homeassistant.config_entries import ConfigFlowResult, SubentryFlowResult
from homeassistant.core import HomeAssistant, callback

from .charging.variants import VariantFacts
from .const import LOGGER
from .coordinator import WallboxCoordinator
from .flow_connection import FlowError
from .flow_meter_forms import (
    CONF_AFTER_TEST,
    CONF_CONNECTION_NEXT,
    CONF_METER_NEXT,
    CONF_METER_PROFILE,
    CONF_TRANSPORT,
    NO_METER,
    AfterReading,
    AfterTest,
    WithConnection,
    answered,
    connection_schema,
    draft_of,
    model_schema,
    reading_schema,
    result_schema,
    settings_of,
)
from .flow_meter_job import Job, Tell
from .flow_meter_probe import examine, search, watch
from .flow_meter_taken import (
    Neighbour,
    check_free,
    company_of,
    library_complaint,
    room_on,
)
from .flow_meter_words import (
    UNKNOWN,
    Found,
    describe,
    in_words,
    name_of,
    result_in_words,
)
from .meter.profiles import PROFILES
from .meter.refresh import SUITABLE_S, RefreshResult
from .meter_settings import MeterSettings, Transport


class MeterSteps[ResultT: (ConfigFlowResult, SubentryFlowResult)]:
    """The steps of a meter; goes in front of a flow."""

    # The flow's own.
    hass: HomeAssistant
    async_show_form: Callable[..., ResultT]
    async_show_progress: Callable[..., ResultT]
    async_show_progress_done: Callable[..., ResultT]
    async_update_progress: Callable[[float], None]

    # What was answered so far, and what is wrong with it.
    _draft: dict[str, Any]
    _complaint: FlowError | None = None
    # A model that a notice was shown for; the same once more means yes.
    _noticed_model: str | None = None
    _job: Job[Any] | None = None
    _meter_found: Found
    _meter_tested: RefreshResult

    @property
    @abstractmethod
    def meter_placeholders(self) -> dict[str, str]:
        """Return which wallbox it is."""

    @property
    @abstractmethod
    def meter_variant(self) -> VariantFacts:
        """Return what the wallbox is."""

    @property
    @abstractmethod
    def meter_neighbours(self) -> Iterable[Neighbour]:
        """Return the meters of other wallboxes."""

    @property
    def measured_wallbox(self) -> WallboxCoordinator | None:
        """Return the wallbox that is changed, if its meter may be being read."""
        return None

    @abstractmethod
    async def async_meter_chosen(self, meter: dict[str, Any] | None) -> ResultT:
        """Go on with the settings of a meter, or without one."""

    async def async_meter(self, before: MeterSettings | None) -> ResultT:
        """Begin, with the settings there were before."""
        self._draft = {} if before is None else draft_of(before)
        self._noticed_model = None
        self._complaint = await library_complaint(self.hass)
        return await self.async_step_meter()

    @callback
    def async_remove(self) -> None:
        """Ask the meter nothing more when the flow is left."""
        if self._job is not None:
            self._job.cancel()

    async def async_step_meter(
        self, user_input: dict[str, Any] | None = None
    ) -> ResultT:
        """Ask for the model and the way to it."""
        if user_input is not None:
            if user_input.get(CONF_METER_PROFILE) == NO_METER:
                return await self.async_meter_chosen(None)
            self._draft |= {CONF_METER_PROFILE: None, **user_input}
            missing = await library_complaint(self.hass)
            self._complaint = missing or self._notice_of_model()
            if self._complaint is None:
                return await self._async_ask_connection()
        return self._form("meter", model_schema(self._draft))

    def _notice_of_model(self) -> FlowError | None:
        """Return that a model is to be chosen, or what to mention of it once."""
        model = self._draft[CONF_METER_PROFILE]
        if model is None:
            return FlowError("meter_model_missing", CONF_METER_PROFILE)
        phases = PROFILES[model].phases
        if phases >= self.meter_variant.phases or model == self._noticed_model:
            return None
        self._noticed_model = model
        return FlowError("meter_one_phase", CONF_METER_PROFILE)

    async def _async_ask_connection(self) -> ResultT:
        """Ask for the connection that the transport needs."""
        if self._connection_step == "meter_serial":
            return await self.async_step_meter_serial()
        return await self.async_step_meter_network()

    @property
    def _connection_step(self) -> str:
        """Return the step that asks for the connection."""
        serial = self._draft[CONF_TRANSPORT] == Transport.SERIAL
        return "meter_serial" if serial else "meter_network"

    async def async_step_meter_network(
        self, user_input: dict[str, Any] | None = None
    ) -> ResultT:
        """Ask for the address of a gateway or a meter."""
        return await self._async_connection("meter_network", user_input)

    async def async_step_meter_serial(
        self, user_input: dict[str, Any] | None = None
    ) -> ResultT:
        """Ask for a serial device and its line settings."""
        return await self._async_connection("meter_serial", user_input)

    async def _async_connection(
        self, step: str, user_input: dict[str, Any] | None
    ) -> ResultT:
        """Take the answers on a connection, and try them."""
        if user_input is not None:
            self._draft |= answered(user_input)
            match self._draft.pop(CONF_CONNECTION_NEXT, WithConnection.TRY):
                case WithConnection.MODEL:
                    return await self.async_step_meter()
                case WithConnection.NO_METER:
                    return await self.async_meter_chosen(None)
                case wish:
                    pass
            try:
                settings = settings_of(self._draft)
                taken = await check_free(self.hass, settings, self.meter_neighbours)
            except FlowError as err:
                self._complaint = err
            else:
                if wish == WithConnection.SEARCH:
                    return await self._async_search(settings, taken)
                return await self._async_probe(settings)
        return self._form(step, connection_schema(self._draft))

    async def _async_probe(self, settings: MeterSettings) -> ResultT:
        """Try the settings."""
        self._work(
            lambda _: examine(self.hass, settings),
            settings,
            {"place": describe(settings), "unit": str(settings.unit_id)},
        )
        return await self.async_step_meter_probe()

    async def _async_search(self, settings: MeterSettings, taken: set[int]) -> ResultT:
        """Try others."""
        self._work(
            lambda tell: search(self.hass, settings, taken, tell),
            settings,
            {"line": "", "unit": "", "number": "0"},
        )
        return await self.async_step_meter_search()

    async def async_step_meter_probe(
        self,
        user_input: dict[str, Any] | None = None,  # noqa: ARG002
    ) -> ResultT:
        """Show that the settings are tried."""
        return await self._async_finding("meter_probe")

    async def async_step_meter_search(
        self,
        user_input: dict[str, Any] | None = None,  # noqa: ARG002
    ) -> ResultT:
        """Show which settings are tried."""
        return await self._async_finding("meter_search")

    async def _async_finding(self, step: str) -> ResultT:
        """Show the search for a meter, then what was found."""
        found: Found | FlowError | None = self._outcome
        if found is None:
            return self._progress_of(step)
        if isinstance(found, FlowError):
            return self._failed(found)
        try:
            await check_free(self.hass, found.settings, self.meter_neighbours)
        except FlowError as err:
            return self._failed(err)
        self._meter_found = found
        self._draft |= draft_of(found.settings)
        company = await company_of(self.hass, found.settings)
        self._complaint = found.complaint or company.notice
        return self.async_show_progress_done(next_step_id="meter_values")

    async def async_step_meter_values(
        self, user_input: dict[str, Any] | None = None
    ) -> ResultT:
        """Show what the meter shows, and ask whether its display shows the same."""
        if user_input is not None:
            match user_input.get(CONF_METER_NEXT):
                case AfterReading.TEST:
                    return await self._async_test()
                case AfterReading.SKIP:
                    return await self._async_done(None)
                case AfterReading.AGAIN:
                    return await self._async_probe(self._meter_found.settings)
                case AfterReading.BACK:
                    return await self._async_ask_connection()
            self._complaint = FlowError("meter_choice_missing", CONF_METER_NEXT)
        return self._form("meter_values", reading_schema(), in_words(self._meter_found))

    async def _async_test(self) -> ResultT:
        """Watch the meter for a while."""
        self._work(
            lambda tell: watch(self.hass, self._meter_found, tell),
            self._meter_found.settings,
            {"seconds": "60", "changes": "0"},
        )
        return await self.async_step_meter_refresh()

    async def async_step_meter_refresh(
        self,
        user_input: dict[str, Any] | None = None,  # noqa: ARG002
    ) -> ResultT:
        """Show how often the meter has measured anew so far."""
        result: RefreshResult | FlowError | None = self._outcome
        if result is None:
            return self._progress_of("meter_refresh")
        if isinstance(result, FlowError):
            return self._failed(result)
        self._meter_tested = result
        poll_s = self._meter_found.settings.profile.poll_s
        if result.suitable:
            step = "meter_quick"
        elif poll_s > SUITABLE_S or not result.not_proven:
            step = "meter_slow"
        else:
            step = "meter_unproven"
        return self.async_show_progress_done(next_step_id=step)

    async def async_step_meter_quick(
        self, user_input: dict[str, Any] | None = None
    ) -> ResultT:
        """Tell that the meter measures power every second."""
        return await self._async_tested("meter_quick", user_input)

    async def async_step_meter_slow(
        self, user_input: dict[str, Any] | None = None
    ) -> ResultT:
        """Tell that the meter cannot prove power every second."""
        return await self._async_tested("meter_slow", user_input)

    async def async_step_meter_unproven(
        self, user_input: dict[str, Any] | None = None
    ) -> ResultT:
        """Tell that nothing moved, so that nothing is proven."""
        return await self._async_tested("meter_unproven", user_input)

    async def _async_tested(
        self, step: str, user_input: dict[str, Any] | None
    ) -> ResultT:
        """Show the result of the test, and take what to do with it."""
        result, profile = self._meter_tested, self._meter_found.settings.profile
        if user_input is not None:
            match user_input[CONF_AFTER_TEST]:
                case AfterTest.AGAIN:
                    return await self._async_test()
                case AfterTest.BACK:
                    return await self._async_ask_connection()
            return await self._async_done(
                None if result.not_proven else result.refresh_s,
                slow_accepted=step == "meter_slow",
            )
        return self._form(step, result_schema(), result_in_words(result, profile))

    async def _async_done(
        self, refresh_s: float | None, *, slow_accepted: bool = False
    ) -> ResultT:
        """Go on with the meter, unless it became another wallbox's meanwhile."""
        settings = self._meter_found.settings
        try:
            await check_free(self.hass, settings, self.meter_neighbours)
        except FlowError as err:
            self._complaint = err
            return await self._async_ask_connection()
        if refresh_s is not None:
            refresh_s = round(refresh_s, 2)
        settings = replace(settings, refresh_s=refresh_s, slow_accepted=slow_accepted)
        return await self.async_meter_chosen(settings.as_dict())

    def _work[T](
        self,
        work: Callable[[Tell], Coroutine[Any, Any, T]],
        settings: MeterSettings,
        shown: dict[str, str],
    ) -> None:
        """Begin to ask the meter; the reader of the same line makes room meanwhile."""

        async def with_room(tell: Tell) -> T:
            """Do the work, whatever comes of it."""
            try:
                async with room_on(self.hass, settings, self.measured_wallbox):
                    return await work(tell)
            except FlowError:
                raise
            except Exception as err:
                LOGGER.exception("The meter could not be asked")
                raise FlowError("unknown") from err

        shown = {**shown, "model": name_of(settings.profile)}
        self._job = Job(self.hass, with_room, shown, self.async_update_progress)

    @property
    def _outcome(self) -> Any:
        """Return what the work came to, None while it goes on."""
        job = self._job
        if job is None or not job.done:
            return None
        try:
            return job.result
        except FlowError as err:
            return err

    def _progress_of(self, step: str) -> ResultT:
        """Show how far the work is."""
        assert self._job is not None  # noqa: S101  (these steps follow a job)
        return self.async_show_progress(
            step_id=step,
            progress_action=step,
            description_placeholders={**self.meter_placeholders, **self._job.shown},
            progress_task=self._job.waiting(),
        )

    def _failed(self, error: FlowError) -> ResultT:
        """Go back to the form that can mend it."""
        self._complaint = error
        about_model = CONF_METER_PROFILE in error.errors
        step = "meter" if about_model else self._connection_step
        return self.async_show_progress_done(next_step_id=step)

    def _form(
        self, step: str, schema: Any, shown: Mapping[str, str] | None = None
    ) -> ResultT:
        """Show a form with what is wrong, which is said once."""
        error, self._complaint = self._complaint, None
        profile = PROFILES.get(self._draft.get(CONF_METER_PROFILE, ""))
        return self.async_show_form(
            step_id=step,
            data_schema=schema,
            errors={} if error is None else error.errors,
            description_placeholders={
                **self.meter_placeholders,
                "model": UNKNOWN if profile is None else name_of(profile),
                **(shown or {}),
                **({} if error is None else error.placeholders),
            },
            last_step=False,
        )
