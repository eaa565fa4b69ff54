"""Texts: the languages agree, the code uses them all, and uses none that is missing."""

import ast
from collections.abc import Iterator, Mapping
import json
from pathlib import Path
import re
from typing import Any

import pytest

PACKAGE = Path(__file__).parents[1] / "custom_components" / "loxone_wallbox"
SECTIONS = {
    "config",
    "config_subentries",
    "device",
    "entity",
    "exceptions",
    "issues",
    "options",
    "selector",
    "services",
    "system_health",
    "title",
}
PLATFORMS = {
    "binary_sensor",
    "button",
    "calendar",
    "event",
    "number",
    "select",
    "sensor",
    "switch",
    "update",
}
# Reasons and errors that Home Assistant's own helpers give.
OF_HOME_ASSISTANT = {
    "already_configured",
    "already_in_progress",
    "reauth_successful",
    "reconfigure_successful",
}

# Errors that say in one sentence what to do, and ends that need nothing more.
ONE_SENTENCE = {
    "nothing_picked",
    "reauth_successful",
    "reconfigure_successful",
    "window_days_invalid",
    "window_time_invalid",
    "windows_missing",
}


def load(path: Path) -> dict[str, Any]:
    """Return the content of a JSON file."""
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content


def flatten(node: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Yield every text with its dotted key."""
    for key, value in node.items():
        name = f"{prefix}.{key}" if prefix else key
        if isinstance(value, Mapping):
            yield from flatten(value, name)
        else:
            yield name, value


def placeholders(text: str) -> set[str]:
    """Return the names in curly brackets."""
    return set(re.findall(r"\{(\w+)\}", text))


ENGLISH = load(PACKAGE / "translations" / "en.json")
GERMAN = load(PACKAGE / "translations" / "de.json")
MODULES = {
    path: ast.parse(path.read_text(encoding="utf-8")) for path in PACKAGE.rglob("*.py")
}
# Every string and every name of a function in the code: where a key may be used.
STRINGS = {
    node.value
    for tree in MODULES.values()
    for node in ast.walk(tree)
    if isinstance(node, ast.Constant) and isinstance(node.value, str)
}
FUNCTIONS = {
    node.name
    for tree in MODULES.values()
    for node in ast.walk(tree)
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
}


def flows() -> list[tuple[str, Mapping[str, Any]]]:
    """Return the flows by name: the main one, of subentries, of repairs, the options."""
    found = [("config", ENGLISH.get("config", {}))]
    found += [
        (f"config_subentries.{kind}", flow)
        for kind, flow in ENGLISH.get("config_subentries", {}).items()
    ]
    found += [
        (f"issues.{key}", issue["fix_flow"])
        for key, issue in ENGLISH.get("issues", {}).items()
        if "fix_flow" in issue
    ]
    return [*found, ("options", ENGLISH.get("options", {}))]


def keywords(name: str) -> Iterator[tuple[str, str]]:
    """Yield what was called with this keyword as a literal, and the literal."""
    for tree in MODULES.values():
        for node in ast.walk(tree):
            if not isinstance(node, ast.Call):
                continue
            called = ast.unparse(node.func).rpartition(".")[2]
            for keyword in node.keywords:
                value = keyword.value
                if (
                    keyword.arg == name
                    and isinstance(value, ast.Constant)
                    and isinstance(value.value, str)
                ):
                    yield called, value.value


def test_languages_have_the_same_keys() -> None:
    """No text is missing in one language, none is left over."""
    english, german = dict(flatten(ENGLISH)), dict(flatten(GERMAN))
    assert set(english) - set(german) == set()
    assert set(german) - set(english) == set()


def test_languages_have_the_same_placeholders() -> None:
    """What is filled in has the same names everywhere."""
    german = dict(flatten(GERMAN))
    for key, text in flatten(ENGLISH):
        assert placeholders(text) == placeholders(german[key]), key


@pytest.mark.parametrize("texts", [ENGLISH, GERMAN], ids=["en", "de"])
def test_texts_are_allowed(texts: dict[str, Any]) -> None:
    """Known sections; no reference, no HTML, no address inside a text, none empty."""
    assert set(texts) <= SECTIONS
    for key, text in flatten(texts):
        assert text.strip(), key
        assert text == text.strip(), key
        assert "[%key:" not in text, key
        assert not re.search(r"</?[a-z]+>", text), key
        assert "://" not in text, key


@pytest.mark.parametrize("texts", [ENGLISH, GERMAN], ids=["en", "de"])
def test_errors_say_what_to_do(texts: dict[str, Any]) -> None:
    """What is wrong is one sentence, what to do next another."""
    shown = {f"exceptions.{key}": one for key, one in texts["exceptions"].items()}
    for name, flow in {"config": texts["config"], **texts["config_subentries"]}.items():
        shown |= {f"{name}.{key}": flow[key] for key in ("error", "abort")}
    for key, text in flatten(shown):
        name = key.removesuffix(".message").rpartition(".")[2]
        plain = re.sub(r"`[^`]*`", "", text)
        assert name in ONE_SENTENCE or len(re.findall(r"[.:;](?:\s|$)", plain)) > 1, key


def test_every_field_is_explained() -> None:
    """A field of a form has a label and a description."""

    def check(step: Mapping[str, Any], name: str) -> None:
        assert set(step.get("data", {})) == set(step.get("data_description", {})), name
        for section, content in step.get("sections", {}).items():
            check(content, f"{name}.{section}")

    for flow_name, flow in flows():
        for step_name, step in flow.get("step", {}).items():
            check(step, f"{flow_name}.{step_name}")


def test_titles_over_progress_stand_alone() -> None:
    """The frontend fills nothing in there, and shows an error instead."""
    for name, flow in flows():
        for step in flow.get("progress", {}):
            title = flow["step"].get(step, {}).get("title", "")
            assert not placeholders(title), f"{name}.{step}"


def test_steps_used_exist() -> None:
    """Every step the code shows has its texts."""
    known = {step for _, flow in flows() for step in flow.get("step", {})}
    used = {step for called, step in keywords("step_id") if "show" in called}
    assert used - known == set()


def test_steps_that_exist_are_used() -> None:
    """Every step with texts is a step of a flow."""
    for name, flow in flows():
        for step in flow.get("step", {}):
            assert f"async_step_{step}" in FUNCTIONS, f"{name}.{step}"


def test_reasons_used_exist() -> None:
    """Every reason to give up has its text."""
    known = {reason for _, flow in flows() for reason in flow.get("abort", {})}
    used = {reason for called, reason in keywords("reason") if "abort" in called}
    assert used - known == set()


def test_errors_used_exist() -> None:
    """Every error of a form has its text."""
    known = {error for _, flow in flows() for error in flow.get("error", {})}
    used = {
        node.args[0].value
        for tree in MODULES.values()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and ast.unparse(node.func) == "FlowError"
        and node.args
        and isinstance(node.args[0], ast.Constant)
    }
    assert used
    # An empty one shows the form again without a complaint.
    assert used - known - {""} == set()


@pytest.mark.parametrize("kind", ["abort", "error"])
def test_reasons_and_errors_that_exist_are_used(kind: str) -> None:
    """The flows have no text that nobody can see."""
    for name, flow in flows():
        for key in flow.get(kind, {}):
            assert key in STRINGS | OF_HOME_ASSISTANT, f"{name}.{kind}.{key}"


def test_translation_keys_used_exist() -> None:
    """Every literal translation key has its text in the section it belongs to."""
    entities = {key for platform in ENGLISH["entity"].values() for key in platform}
    others = (
        entities | set(ENGLISH.get("device", {})) | set(ENGLISH.get("selector", {}))
    )
    for called, key in keywords("translation_key"):
        if called == "async_create_issue":
            assert key in ENGLISH.get("issues", {}), key
        elif called.endswith(("Error", "Failed", "NotReady")):
            assert key in ENGLISH.get("exceptions", {}), key
        else:
            assert key in others | set(ENGLISH.get("exceptions", {})), key


@pytest.mark.parametrize("section", ["exceptions", "issues", "device", "selector"])
def test_translation_keys_that_exist_are_used(section: str) -> None:
    """Every text outside of flows and entities is named in the code."""
    actions = (PACKAGE / "services.yaml").read_text(encoding="utf-8")
    for key in ENGLISH.get(section, {}):
        used = key in STRINGS or f"translation_key: {key}\n" in actions
        assert used, f"{section}.{key}"


def test_entities_that_exist_are_used() -> None:
    """Every entity with texts is a string in its platform's code."""
    for platform, entities in ENGLISH["entity"].items():
        assert platform in PLATFORMS
        assert (PACKAGE / f"{platform}.py").is_file()
        for key in entities:
            assert key in STRINGS, f"{platform}.{key}"


def test_entities_used_exist() -> None:
    """Every entity description has a name in every language."""
    for platform in PLATFORMS:
        path = PACKAGE / f"{platform}.py"
        if path not in MODULES:
            continue
        for node in ast.walk(MODULES[path]):
            if not isinstance(node, ast.Call):
                continue
            if not ast.unparse(node.func).endswith("Description"):
                continue
            literals = {
                keyword.arg: keyword.value.value
                for keyword in node.keywords
                if isinstance(keyword.value, ast.Constant)
            }
            key = literals.get("translation_key", literals.get("key"))
            assert key in ENGLISH["entity"].get(platform, {}), (platform, key)


def test_icons() -> None:
    """Icons are Material Design Icons, and only of things that exist."""
    icons = load(PACKAGE / "icons.json")
    for key, icon in flatten({"entity": icons.get("entity", {})}):
        assert icon.startswith("mdi:"), key
    for platform, entities in icons.get("entity", {}).items():
        for key, icon in entities.items():
            assert key in ENGLISH["entity"][platform], f"{platform}.{key}"
            states = set(ENGLISH["entity"][platform][key].get("state", {}))
            shown = set(icon.get("state", {}))
            if states:
                assert shown <= states, f"{platform}.{key}"
    for service, content in icons.get("services", {}).items():
        assert content["service"].startswith("mdi:"), service
        assert service in ENGLISH.get("services", {}), service
