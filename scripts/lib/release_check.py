"""Hold a release tag against the versions in the repository.

python3 scripts/lib/release_check.py v0.1.0            fails with the differences
python3 scripts/lib/release_check.py v0.1.0 --notes    prints the changelog's section
"""

import json
from pathlib import Path
import re
import sys
import tomllib

ROOT = Path(__file__).resolve().parents[2]
MANIFEST = ROOT / "custom_components" / "loxone_wallbox" / "manifest.json"


def changelog_section(version: str) -> tuple[str, str] | None:
    """Return the date and the text of a version's section in the changelog."""
    match = re.search(
        rf"^## \[{re.escape(version)}\] - (\S+)\n(.*?)(?=^## |\Z)",
        (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"),
        re.MULTILINE | re.DOTALL,
    )
    return (match[1], match[2].strip()) if match else None


def differences(tag: str) -> list[str]:
    """Return what does not agree with the tag."""
    version = tag.removeprefix("v")
    found = []
    if tag != f"v{version}":
        found.append(f"The tag {tag} does not begin with v.")
    manifest = json.loads(MANIFEST.read_text(encoding="utf-8"))["version"]
    if manifest != version:
        found.append(f"manifest.json says {manifest}.")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    if project["project"]["version"] != version:
        found.append(f"pyproject.toml says {project['project']['version']}.")
    section = changelog_section(version)
    if section is None:
        found.append(f"CHANGELOG.md has no section [{version}].")
    elif not re.fullmatch(r"\d{4}-\d{2}-\d{2}", section[0]):
        found.append(f"CHANGELOG.md dates it {section[0]}.")
    return found


def main(tag: str, *, notes: bool) -> int:
    """Print what differs, or the notes of the release."""
    if found := differences(tag):
        print(f"{tag} cannot be released:", *found, sep="\n  ", file=sys.stderr)
        return 1
    if notes and (section := changelog_section(tag.removeprefix("v"))):
        print(section[1])
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], notes="--notes" in sys.argv))
