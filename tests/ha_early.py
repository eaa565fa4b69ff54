"""Early plugin of the suite, loaded by `-p tests.ha_early` before every other.

The test plugin for custom integrations is made for Home Assistant 2026.10. On 2026.11
two things have to happen before it is imported: Home Assistant must alias `httpx` before
another plugin imports the real one, and a helper that moved must be where it was.
"""

import logging

import pytest

# Imported first of all: aliases httpx on 2026.11.
import homeassistant  # noqa: F401
from homeassistant.const import MAJOR_VERSION, MINOR_VERSION

OPT_IN = {
    "slow": "also run the tests marked slow",
    "campaign": "also run the tests marked campaign: many repetitions",
}
# Rooms that know no Home Assistant: on another release of it their tests say the same.
WITHOUT_HOME_ASSISTANT = ("charging", "miniserver", "simulator")


def mend_for_2026_11() -> None:
    """Make the test plugin importable on Home Assistant 2026.11."""
    # The order of these imports matters: they patch what Home Assistant imports next.
    from pytest_homeassistant_custom_component import (  # noqa: PLC0415
        patch_json,  # noqa: F401
        patch_recorder,  # noqa: F401
        patch_time,  # noqa: F401
    )

    from homeassistant.components import logger  # noqa: PLC0415
    from homeassistant.components.logger import helpers  # noqa: PLC0415

    name = "_clear_logger_overwrites"
    if not hasattr(logger, name):
        setattr(logger, name, getattr(helpers, name))


if (MAJOR_VERSION, MINOR_VERSION) >= (2026, 11):
    mend_for_2026_11()


def pytest_configure() -> None:
    """Do not log every SQL statement, as the plugin does: nobody reads them."""
    logging.getLogger("sqlalchemy.engine").setLevel(logging.WARNING)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the switches for tests that take their time."""
    for marker, text in OPT_IN.items():
        parser.addoption(f"--{marker}", action="store_true", default=False, help=text)
    parser.addoption(
        "--home-assistant-only",
        action="store_true",
        default=False,
        help="leave out the tests of the rooms that know no Home Assistant",
    )


def pytest_collection_modifyitems(
    config: pytest.Config, items: list[pytest.Item]
) -> None:
    """Deselect what was not asked for, unless it was named on the command line."""
    unwanted = {marker for marker in OPT_IN if not config.getoption(f"--{marker}")}
    without = config.getoption("--home-assistant-only")
    kept: list[pytest.Item] = []
    dropped: list[pytest.Item] = []
    for item in items:
        marked = any(item.get_closest_marker(marker) for marker in unwanted)
        marked = marked or (without and is_without(config, item))
        (dropped if marked and not is_named(config, item) else kept).append(item)
    if dropped:
        config.hook.pytest_deselected(items=dropped)
        items[:] = kept


def is_without(config: pytest.Config, item: pytest.Item) -> bool:
    """Return whether a test is about a room that knows no Home Assistant."""
    folders = item.path.relative_to(config.rootpath).parts[1:-1]
    return bool(folders) and folders[0] in WITHOUT_HOME_ASSISTANT


def is_named(config: pytest.Config, item: pytest.Item) -> bool:
    """Return whether the test's own id stands on the command line."""
    return any(
        item.nodeid == argument or item.nodeid.startswith(f"{argument}[")
        for argument in config.args
        if "::" in argument
    )
