"""The action that reports how a wallbox stands against its regulation.

Takes wallboxes and a form, gives a report on each, in the language of Home Assistant, or
writes it to a file in an allowed folder. Only for administrators: it tells of the
security of the home. Raises translated errors.
"""

from collections.abc import Mapping
from enum import StrEnum
import json
from typing import Any

import probatio

from homeassistant.const import ATTR_DEVICE_ID
from homeassistant.core import (
    HomeAssistant,
    ServiceCall,
    ServiceResponse,
    SupportsResponse,
    callback,
)
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers.translation import async_get_translations
from homeassistant.loader import async_get_integration
from homeassistant.util import dt as dt_util

from .compliance_report import load_texts, markdown, plain
from .const import DOMAIN
from .evidence import async_facts
from .history_export import ATTR_FORMAT, ATTR_PATH, check_path, write_file
from .history_query import Box, async_user, boxes_of, check_administrator, home_zone
from .records.compliance_rows import report_of
from .rights import told_of_paths

ACTION = "generate_compliance_report"


class ReportFormat(StrEnum):
    """How a report is written."""

    MARKDOWN = "markdown"
    JSON = "json"


ENDINGS = {ReportFormat.MARKDOWN: "md", ReportFormat.JSON: "json"}


@callback
def async_setup_compliance(hass: HomeAssistant) -> None:
    """Register the action."""
    devices = probatio.All(cv.ensure_list, [cv.string], probatio.Length(min=1))
    hass.services.async_register(
        DOMAIN,
        ACTION,
        _async_handle,
        schema=probatio.Schema(
            {
                probatio.Required(ATTR_DEVICE_ID): devices,
                probatio.Optional(
                    ATTR_FORMAT, default=ReportFormat.MARKDOWN
                ): probatio.Coerce(ReportFormat),
                probatio.Optional(ATTR_PATH): cv.string,
            }
        ),
        supports_response=SupportsResponse.OPTIONAL,
    )


async def _async_handle(call: ServiceCall) -> ServiceResponse:
    """Report on the wallboxes of a call."""
    hass = call.hass
    user = await async_user(hass, call.context)
    boxes = boxes_of(hass, call.data[ATTR_DEVICE_ID], user, call.service)
    check_administrator(user, call.service, boxes)
    form, path = call.data[ATTR_FORMAT], call.data.get(ATTR_PATH)
    if path is not None:
        sinks = (box.wallbox.security for box in boxes.values())
        with told_of_paths(call.service, call.context.user_id, *sinks):
            await hass.async_add_executor_job(check_path, hass, path, ENDINGS[form])
    language, texts = await hass.async_add_executor_job(
        load_texts, hass.config.language
    )
    reports, written = [], []
    for box in boxes.values():
        report = report_of(await async_facts(hass, box.wallbox, language))
        about = await _async_about(hass, box, language)
        reports.append({**about, **plain(report, texts, home_zone())})
        written.append(markdown(report, texts, about, home_zone()))
        # What was counted may be news to the sensor.
        box.wallbox.async_update_listeners()
    if form is ReportFormat.JSON:
        content = json.dumps(reports, ensure_ascii=False, indent=1)
    else:
        content = "\n".join(written)
    answer: dict[str, Any] = {"format": form.value, "language": language}
    if path is not None:
        await hass.async_add_executor_job(write_file, path, content)
        return {**answer, "path": path, "reports": _results(reports)}
    if form is ReportFormat.JSON:
        return {**answer, "reports": json.loads(content)}
    return {**answer, "content": content, "reports": _results(reports)}


def _results(reports: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return what came of each report, in short."""
    return [
        {name: one[name] for name in ("device_id", "wallbox", "state", "failing")}
        for one in reports
    ]


async def _async_about(
    hass: HomeAssistant, box: Box, language: str
) -> Mapping[str, str]:
    """Return what a report is about, and when it was made."""
    integration = await async_get_integration(hass, DOMAIN)
    texts = await async_get_translations(hass, language, "selector", {DOMAIN})
    wallbox, now = box.wallbox, dt_util.utcnow()
    profile = wallbox.rules.profile
    return {
        "device_id": box.device_id,
        "wallbox": box.title,
        "model": f"{wallbox.variant.model} ({wallbox.variant.article})",
        "miniserver": wallbox.miniserver.name,
        "version": str(integration.version),
        "profile": profile.id,
        "profile_name": texts[
            f"component.{DOMAIN}.selector.profile.options.{profile.id}"
        ],
        "profile_version": str(profile.version),
        "at": f"{now.astimezone(home_zone()):%Y-%m-%d %H:%M %Z}",
        "at_utc": now.isoformat(),
    }
