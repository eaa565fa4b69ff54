"""Checks what flows show against the translations, in every language.

Home Assistant's own suite does so with a fixture that the test plugin lacks: a key
without its text shows as a raw key to the owner.
"""

from collections.abc import Iterator, Mapping
import json
from pathlib import Path
import re
from typing import Any

from homeassistant.data_entry_flow import FlowResultType, section

from custom_components.loxone_wallbox.const import DOMAIN

FOLDER = Path(__file__).parents[1] / "custom_components" / DOMAIN / "translations"
LANGUAGES: dict[str, dict[str, Any]] = {
    path.stem: json.loads(path.read_text(encoding="utf-8"))
    for path in sorted(FOLDER.glob("*.json"))
}


def flow_of(texts: Mapping[str, Any], handler: object, manager: str) -> dict[str, Any]:
    """Return the texts of the kind of flow that a manager runs."""
    found: dict[str, Any]
    match manager:
        case "OptionsFlowManager":
            found = texts["options"]
        case "ConfigSubentryFlowManager":
            assert isinstance(handler, tuple)
            found = texts["config_subentries"][handler[1]]
        case "RepairsFlowManager":
            # The steps of all that ask something; no two have one of the same name.
            found = {"step": {}, "abort": {}}
            for issue in texts["issues"].values():
                for part, shown in issue.get("fix_flow", {}).items():
                    found[part].update(shown)
        case _:
            found = texts["config"]
    return found


def check_result(
    texts: Mapping[str, Any], flow: Mapping[str, Any], result: Mapping[str, Any]
) -> None:
    """Check that everything a flow's result shows has its text."""
    match result["type"]:
        case FlowResultType.ABORT:
            shown = [flow["abort"][result["reason"]]]
        case FlowResultType.SHOW_PROGRESS:
            shown = [flow["progress"][result["progress_action"]]]
        case FlowResultType.MENU:
            step = flow["step"][result["step_id"]]
            choices = [step["menu_options"][one] for one in result["menu_options"]]
            shown = [step["title"], step["description"], *choices]
        case FlowResultType.FORM:
            shown = list(_form(texts, flow, result))
        case _:
            return
    given = set(result.get("description_placeholders") or {})
    for text in shown:
        assert text
        wanted = set(re.findall(r"\{(\w+)\}", text))
        assert wanted <= given, f"{text} lacks {wanted - given}"


def _form(
    texts: Mapping[str, Any], flow: Mapping[str, Any], result: Mapping[str, Any]
) -> Iterator[str]:
    """Yield the texts of a form: the step's, its fields' and its errors'."""
    step = flow["step"][result["step_id"]]
    yield step["title"]
    yield step["description"]
    yield from _fields(texts, step, result["data_schema"].schema)
    names = {str(marker) for marker in result["data_schema"].schema}
    for on, key in (result["errors"] or {}).items():
        assert on == "base" or on in names, f"{on} is no field of {result['step_id']}"
        yield flow["error"][key]


def _fields(
    texts: Mapping[str, Any], step: Mapping[str, Any], schema: Mapping[Any, Any]
) -> Iterator[str]:
    """Yield name and explanation of each field, also within sections."""
    for marker, value in schema.items():
        name = str(marker)
        if isinstance(value, section):
            yield step["sections"][name]["name"]
            yield step["sections"][name]["description"]
            yield from _fields(texts, step["sections"][name], value.schema.schema)
            continue
        yield step["data"][name]
        yield step["data_description"][name]
        config = getattr(value, "config", {})
        for field in config.get("fields", {}):
            yield from texts["selector"][config["translation_key"]]["fields"][
                field
            ].values()
        if (key := config.get("translation_key")) and "options" in config:
            known = texts["selector"][key]["options"]
            for option in config["options"]:
                if isinstance(option, str) or option["label"] == option["value"]:
                    yield known[option if isinstance(option, str) else option["value"]]
