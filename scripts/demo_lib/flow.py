"""Walk through a config flow as the frontend does, with answers by field name."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from scripts.demo_lib.api import HomeAssistant, wait_for
from scripts.demo_lib.progress import DemoError

FLOW = "/api/config/config_entries/flow"
SUBENTRY_FLOW = "/api/config/config_entries/subentries/flow"
# How a flow says that it changed what there was.
CHANGED = "reconfigure_successful"
MOST_STEPS = 40
PROGRESS_TIMEOUT = 60

type Field = Mapping[str, Any]
# A value, or a function of the field's description.
type Answer = Any | Callable[[Field], Any]


def options_of(field: Field) -> list[Any]:
    """Return what a selection field offers."""
    if "options" in field:
        options = field["options"]
    else:
        options = field.get("selector", {}).get("select", {}).get("options", [])
    if isinstance(options, Mapping):
        return list(options)
    return [
        option["value"]
        if isinstance(option, Mapping)
        else option[0]
        if isinstance(option, list)
        else option
        for option in options
    ]


def fill_in(schema: Sequence[Field], answers: Mapping[str, Answer]) -> dict[str, Any]:
    """Return the input for a form: our answers, else what the form suggests."""
    filled: dict[str, Any] = {}
    for field in schema:
        name = field["name"]
        if field.get("type") == "expandable":
            filled[name] = fill_in(field["schema"], answers)
        elif name in answers:
            answer = answers[name]
            filled[name] = answer(field) if callable(answer) else answer
        elif (field.get("description") or {}).get("suggested_value") is not None:
            filled[name] = field["description"]["suggested_value"]
        elif "default" in field:
            filled[name] = field["default"]
        elif field.get("required"):
            raise DemoError(f"The form asks for {name}, and there is no answer to it.")
    return filled


def flow_errors(form: Mapping[str, Any]) -> Iterator[str]:
    """Yield the errors a form came back with."""
    for field, error in (form.get("errors") or {}).items():
        yield f"{field}: {error}"


async def run_flow(
    api: HomeAssistant,
    handler: str,
    answers: Mapping[str, Answer],
    menu: Sequence[str] = (),
) -> dict[str, Any]:
    """Start a flow, answer its steps, and return the entry it created.

    menu lists the choices to take, in order of preference, where a step is a menu.
    """
    result = await _walk(api, FLOW, {"handler": handler}, answers, menu)
    if result["type"] == "abort":
        raise DemoError(f"The config flow gave up: {result['reason']}.")
    entry: dict[str, Any] = result["result"]
    return entry


async def change_subentry(
    api: HomeAssistant,
    entry_id: str,
    subentry: Mapping[str, Any],
    answers: Mapping[str, Answer],
) -> None:
    """Change a part of an entry through its flow."""
    start = {
        "handler": [entry_id, subentry["subentry_type"]],
        "subentry_id": subentry["subentry_id"],
    }
    result = await _walk(api, SUBENTRY_FLOW, start, answers)
    if result["type"] != "abort" or result["reason"] != CHANGED:
        raise DemoError(f"The flow of {subentry['title']} did not change it: {result}.")


async def _walk(
    api: HomeAssistant,
    flows: str,
    start: Mapping[str, Any],
    answers: Mapping[str, Answer],
    menu: Sequence[str] = (),
) -> dict[str, Any]:
    """Start a flow, answer its steps, and return how it ended."""
    result: dict[str, Any] = await api.post(flows, start)
    for _ in range(MOST_STEPS):
        kind = result["type"]
        if kind in ("create_entry", "abort"):
            return result
        path = f"{flows}/{result['flow_id']}"
        if kind == "form":
            if errors := ", ".join(flow_errors(result)):
                raise DemoError(f"Step {result['step_id']} was refused: {errors}.")
            result = await api.post(path, fill_in(result["data_schema"], answers))
        elif kind == "menu":
            choices = list(result["menu_options"])
            chosen = next((name for name in menu if name in choices), choices[0])
            result = await api.post(path, {"next_step_id": chosen})
        elif kind in ("progress", "progress_done"):
            result = await wait_for_progress(api, path)
        else:
            raise DemoError(f"The config flow came to an unexpected {kind}.")
    raise DemoError(f"The config flow had more than {MOST_STEPS} steps.")


async def wait_for_progress(api: HomeAssistant, path: str) -> dict[str, Any]:
    """Wait until a step in progress has something to show."""

    async def moved_on() -> dict[str, Any] | None:
        result: dict[str, Any] = await api.get(path)
        return None if result["type"] == "progress" else result

    return await wait_for("the config flow", moved_on, PROGRESS_TIMEOUT)
