"""What is known of a wallbox for its compliance report.

Takes a wallbox, gives facts as plain data: at once what is in memory, and for a report
also what has to be counted in the history and the security log. What may go wrong: the
disk gives no log or ledger; then that is left out of the facts.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
from ipaddress import ip_address
from typing import Any

from homeassistant.const import CONF_HOST, CONF_PASSWORD
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir
from homeassistant.util import dt as dt_util

from .charging.fallback import Outcome
from .charging.owner import HandOver
from .charging.regulation import Cause
from .charging.schedule import DAY_NAMES, Span, Window, format_minutes
from .charging.slices import year_before
from .const import (
    CONF_DSR_ENTITIES,
    CONF_EXEMPTION,
    CONF_FIRST_USE,
    CONF_PLUG_IN_DELAY,
    CONF_VISUALISATION_PASSWORD,
    CONF_WHO_DELAYS,
    DOMAIN,
    INPUT_ONLINE,
    INPUT_TAMPER,
    LOGGER,
    SECURITY_URL,
    SUPPORT_UNTIL,
    WALLBOX_DEFAULTS,
)
from .coordinator import WallboxCoordinator
from .firmware_news import source_of
from .history import async_get_store, ledger_of
from .history_keeping import retention_of
from .history_plain import kwh
from .history_query import home_zone, key_of
from .ledger_repair import async_look_at_wallbox, is_damaged
from .peak_repair import async_day_names, day_names
from .records.compliance_facts import (
    Facts,
    LinkFacts,
    MeasuringFacts,
    RuleFacts,
    SecurityFacts,
    draws_of,
)
from .records.journal import JournalError
from .records.rows import Wanted
from .security_repair import broken_issue

SECONDS_AN_HOUR = 3600
DELETE_ACTION = "delete_personal_data"
# This machine, as hosts files call it.
_HERE = {"localhost", "ip6-localhost", "ip6-loopback"}
# Of a fallback test that told nothing because nobody measured.
UNMEASURED = "unmeasured"


@callback
def facts_of(
    hass: HomeAssistant,
    wallbox: WallboxCoordinator,
    names: Mapping[str, str] | None = None,
) -> Facts:
    """Return what is known without a look at the disk; `names` are those of the days."""
    profile = wallbox.rules.profile
    return Facts(
        profile=profile.id,
        profile_version=profile.version,
        demonstration=is_demonstration(wallbox),
        link=_link(wallbox),
        rules=_rules(hass, wallbox, day_names(hass) if names is None else names),
        measuring=_measuring(hass, wallbox),
        security=SecurityFacts(
            log_broken=_broken(hass, wallbox.miniserver.serial),
            log_unread=wallbox.miniserver.security.failing,
            people_deletable=hass.services.has_service(DOMAIN, DELETE_ACTION),
            support_until=SUPPORT_UNTIL,
            report_at=SECURITY_URL,
        ),
    )


async def async_facts(
    hass: HomeAssistant, wallbox: WallboxCoordinator, language: str
) -> Facts:
    """Return everything that is known, with what has to be counted.

    What is said of hours names the days in a language of ours.
    """
    history = await _async_history(hass, wallbox)
    security: dict[str, Any] = {}
    try:
        verdict = await wallbox.miniserver.security.async_verify()
        records = await wallbox.miniserver.security.async_records()
    except JournalError as err:
        LOGGER.warning("The report has nothing from the security log: %s", err)
        security = {"log_unread": True}
    else:
        security = {
            "log_broken": verdict.broken_seq,
            "log_records": verdict.records,
            "recorded": Counter(one["kind"] for one in records),
        }
    facts = facts_of(hass, wallbox, await async_day_names(hass, language))
    return replace(
        facts,
        measuring=replace(facts.measuring, **history),
        security=replace(facts.security, **security),
    )


def is_demonstration(wallbox: WallboxCoordinator) -> bool:
    """Tell whether a Miniserver is simulated: it says so, or runs on this machine."""
    host = wallbox.config_entry.data[CONF_HOST]
    return wallbox.client.structure.simulated or is_here(host)


def is_here(host: str) -> bool:
    """Tell whether a host is this machine, on which no real Miniserver runs."""
    try:
        address = ip_address(host.strip("[]"))
    except ValueError:
        name = host.rstrip(".").lower()
        return name in _HERE or name.endswith(".localhost")
    return address.is_loopback or address.is_unspecified


def _told(tested: Mapping[str, Any]) -> str | None:
    """Return what a fallback test told, None where none was run."""
    outcome: str | None = tested.get("outcome")
    if outcome == Outcome.INCONCLUSIVE and not tested.get("measured", True):
        return UNMEASURED
    return outcome


def _link(wallbox: WallboxCoordinator) -> LinkFacts:
    """Return how the wallbox is reached."""
    client, entry, info = wallbox.client, wallbox.config_entry, wallbox.info
    token, tested = client.token, wallbox.links.fallback or {}
    state, left = wallbox.controller.state, wallbox.controller.state.handed_over
    secured = info.secured and not wallbox.settings.get(CONF_VISUALISATION_PASSWORD)
    watched = {
        "contact": wallbox.maps(INPUT_TAMPER),
        "online": wallbox.maps(INPUT_ONLINE),
        "meter": wallbox.measuring.has_meter,
    }
    return LinkFacts(
        linked=wallbox.linked,
        writable=not (info.read_only or secured or info.manager_id is not None),
        tls=client.address.tls,
        verified=client.address.verify,
        password_weak=None if token is None else token.unsecure_password,
        password_kept=CONF_PASSWORD in entry.data,
        user_is_admin=client.structure.user_is_admin,
        firmware=wallbox.miniserver.firmware,
        newest_firmware=wallbox.miniserver.news.newest,
        asks_for_firmware=source_of(entry.options) is not None,
        hand_over_allows=state.hand_over is HandOver.ALLOW,
        handed_over_at=None if left is None else left.at,
        handed_over_allowed=None if left is None else left.allowed,
        watchdog=wallbox.miniserver.pulses.proven,
        fallback_tested_at=tested.get("at"),
        fallback=_told(tested),
        tamper_seen_by=tuple(name for name, there in watched.items() if there),
        tamper_policy=state.tamper_policy.value,
        tampered=bool(wallbox.tampered),
    )


def _rules(
    hass: HomeAssistant, wallbox: WallboxCoordinator, names: Mapping[str, str]
) -> RuleFacts:
    """Return what the owner set."""
    rules, state = wallbox.rules, wallbox.controller.state
    chosen = {**WALLBOX_DEFAULTS, **wallbox.settings}
    first, exempt = chosen.get(CONF_FIRST_USE), chosen.get(CONF_EXEMPTION)
    first = first if isinstance(first, Mapping) else {}
    tariff = wallbox.settings.get("tariff")
    reaching = ir.async_get(hass).async_get_issue(
        DOMAIN, f"hours_in_peak_{wallbox.subentry_id}"
    )
    in_peak = (reaching and reaching.translation_placeholders) or {}
    return RuleFacts(
        hours=in_words(state.hours.windows, names),
        hours_on=state.hours.enabled,
        peak=in_words(rules.profile.peak, names),
        in_peak=(in_peak["hours"],) if in_peak else (),
        first_choice=first.get("choice"),
        first_choice_at=first.get("at"),
        hours_decided=state.hours.changed_at is not None,
        under_agreement=rules.agreement is not None,
        zone=str(rules.zone),
        zone_deviates=rules.zone_deviates,
        days_off_deviate=rules.days_off_deviate,
        delays_by=chosen[CONF_WHO_DELAYS],
        exempt_since=exempt.get("at") if isinstance(exempt, Mapping) else None,
        plug_in_delayed=bool(chosen[CONF_PLUG_IN_DELAY])
        or Cause.PLUG_IN in rules.profile.delayed,
        max_delay_s=state.max_delay_s,
        usual_delay_s=rules.profile.default_delay_s,
        draws=draws_of(state.delay.draws, state.max_delay_s),
        events_known=len(state.dsr.events),
        event_sources=len(chosen[CONF_DSR_ENTITIES]),
        outcomes=dict(wallbox.delivering.outcomes),
        tariff=tariff.get("kind") if isinstance(tariff, Mapping) else None,
    )


def _measuring(hass: HomeAssistant, wallbox: WallboxCoordinator) -> MeasuringFacts:
    """Return who measures and how well."""
    meter, data = wallbox.meter, wallbox.data
    facts = MeasuringFacts(
        source=data.energy_source,
        retention_months=retention_of(wallbox.config_entry.options),
        sessions_damaged=is_damaged(
            hass, wallbox.miniserver.serial, wallbox.wallbox_id
        ),
    )
    if meter is None:
        return facts
    return replace(
        facts,
        coverage=meter.coverage,
        just_begun=meter.just_begun,
        every_s=meter.profile.poll_s,
        # Whatever the owner accepted at setup: that is no power of each second.
        refresh_s=meter.settings.refresh_s,
        errors_pct=tuple(meter.visits.bias.errors_pct),
        findings=tuple(one.kind.value for one in meter.findings),
    )


async def _async_history(
    hass: HomeAssistant, wallbox: WallboxCoordinator
) -> dict[str, Any]:
    """Return what is kept, and what the last twelve months add up to.

    Files are looked at anew: what cannot be read has its repair from then on.
    """
    whose, unread = (wallbox.miniserver.serial, wallbox.wallbox_id), False
    await async_look_at_wallbox(hass, *whose)
    ledger = ledger_of(hass, *whose)
    now, wanted = dt_util.utcnow(), Wanted(wallboxes=(key_of(wallbox),))
    span = Span(year_before(now, home_zone()), now)
    year = replace(wanted, start=span.start.timestamp(), end=span.end.timestamp())
    try:
        first = await hass.async_add_executor_job(ledger.first_month)
        await hass.async_add_executor_job(ledger.months)
    except JournalError as err:
        LOGGER.warning("The report has nothing from the ledger: %s", err)
        first, unread = "", True
    [sums] = await async_get_store(hass).async_sums([year])
    hours = sum(one.charging_s for one in sums) / SECONDS_AN_HOUR
    return {
        "first_session": first or None,
        "sessions_unread": unread,
        "sessions": sum(one.sessions for one in sums),
        "energy_kwh": kwh(sum(one.energy_wh for one in sums)),
        "charging_h": round(hours, 1),
    }


def _broken(hass: HomeAssistant, serial: str) -> int | None:
    """Return the first record of the security log that is known to be wrong."""
    issue = ir.async_get(hass).async_get_issue(DOMAIN, broken_issue(serial))
    if issue is None:
        return None
    record = (issue.translation_placeholders or {}).get("record", "0")
    return int(record) if record.isdecimal() else 0


def in_words(windows: Iterable[Window], names: Mapping[str, str]) -> tuple[str, ...]:
    """Return windows as text, the days of each first."""
    return tuple(
        f"{_days(one, names)} {format_minutes(one.start)}-{format_minutes(one.end)}"
        for one in windows
    )


def _days(window: Window, names: Mapping[str, str]) -> str:
    """Return the days of a window, those in a row by the first and the last."""
    days, rows = sorted(window.days), list[list[int]]()
    for day in days:
        if rows and rows[-1][-1] == day - 1:
            rows[-1].append(day)
        else:
            rows.append([day])
    words = [names.get(one, one) for one in DAY_NAMES]
    return ", ".join(
        words[row[0]] if len(row) == 1 else f"{words[row[0]]}-{words[row[-1]]}"
        for row in rows
    )
