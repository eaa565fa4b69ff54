"""Make the page of all messages from the English translations.

python3 scripts/lib/messages.py            writes docs/messages.md
python3 scripts/lib/messages.py --check    fails where it is not up to date
"""

from collections.abc import Iterator, Mapping
import json
from pathlib import Path
import re
import sys
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
TRANSLATIONS = ROOT / "custom_components" / "loxone_wallbox" / "translations"
PAGE = ROOT / "docs" / "messages.md"

HEAD = """\
# All messages

Made of the translations by `scripts/lib/messages.py`. What stands in *italics* is filled
in: a name, a number, a place. What to do is part of each message.

- [Repairs](#repairs), under **Settings → System → Repairs**
- [When something is refused](#when-something-is-refused): actions, buttons, switches, and
  the entry of the Miniserver
- [In the dialogues](#in-the-dialogues) of the setup and of the settings
"""


def shown(text: str) -> str:
    """Return a text as it stands on the page: what is filled in, in italics."""

    def named(match: re.Match[str]) -> str:
        """Return the name of what is filled in."""
        return f"*{match[1].replace('_', ' ')}*"

    return re.sub(r"`?\{(\w+)\}`?", named, text)


def told(text: str) -> str:
    """Return a message as an entry of a list: its first sentence stands out."""
    first, mark, rest = text.partition(". ")
    bold = f"**{first}.** {rest}" if mark else f"**{text}**"
    # What is filled in cannot be in italics inside of what is bold already.
    return shown(bold)


def repairs(issues: Mapping[str, Any]) -> Iterator[str]:
    """Yield the repairs, in the order of the translations."""
    for issue in issues.values():
        flow = issue.get("fix_flow", {})
        texts = [step["description"] for step in flow.get("step", {}).values()]
        yield f"### {shown(issue['title'])}\n"
        for text in texts or [issue["description"]]:
            yield f"{shown(text)}\n"


def refusals(exceptions: Mapping[str, Any]) -> Iterator[str]:
    """Yield what actions and entities may answer."""
    for one in sorted({one["message"] for one in exceptions.values()}):
        yield f"- {told(one)}"
    yield ""


def dialogues(texts: Mapping[str, Any]) -> Iterator[str]:
    """Yield what the dialogues may say is wrong, and why they end."""
    flows = [texts["config"], *texts["config_subentries"].values(), texts["options"]]
    found = {
        text
        for flow in flows
        for kind in ("error", "abort")
        for text in flow.get(kind, {}).values()
    }
    for text in sorted(found):
        yield f"- {told(text)}"


def page() -> str:
    """Return the page."""
    texts = json.loads((TRANSLATIONS / "en.json").read_text(encoding="utf-8"))
    lines = [HEAD, "## Repairs\n", *repairs(texts["issues"])]
    lines += ["## When something is refused\n", *refusals(texts["exceptions"])]
    lines += ["## In the dialogues\n", *dialogues(texts)]
    return "\n".join(lines) + "\n"


def main() -> int:
    """Write the page, or look whether it is up to date."""
    made = page()
    if "--check" in sys.argv[1:]:
        before = PAGE.read_text(encoding="utf-8") if PAGE.is_file() else ""
        if before != made:
            print("docs/messages.md is old: run python3 scripts/lib/messages.py")
            return 1
        return 0
    PAGE.write_text(made, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
