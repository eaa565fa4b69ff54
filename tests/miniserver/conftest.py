"""Every test here may use sockets of its own machine and must leave nothing behind."""

from collections.abc import Iterator

from hypothesis import settings
import pytest

# How long an example takes says more about the machine than about the code.
settings.register_profile("loaded machine", deadline=None)
settings.load_profile("loaded machine")


@pytest.fixture(autouse=True)
def nothing_left(
    caplog: pytest.LogCaptureFixture,
) -> Iterator[None]:
    """Fail a test during which an error was logged that it did not expect.

    What a server says of a client that refuses its certificate is not ours.
    """
    yield
    errors = [
        record.getMessage()
        for record in caplog.get_records("call")
        if record.levelname in {"ERROR", "CRITICAL"}
        and "incoming connection" not in record.getMessage()
    ]
    assert errors == []
    assert "never retrieved" not in caplog.text
