# shellcheck shell=bash disable=SC2034
# What scripts/demo needs beyond setup.sh: an environment of its own, with the packages
# Home Assistant would otherwise install during its first start. To be sourced.
#
# The environment is a separate one, because the test environments hold exactly what the
# lock file says, and uv removes anything else from them.

VENV_DEMO="$ROOT/.venv-demo"

need_venv_demo() { need_venv "$VENV_DEMO" homeassistant ha-2026-11; }

# A C and C++ compiler for the two packages that come as source only.
need_compiler() {
  local zig="$TOOLS/zig" name
  if command -v c++ && command -v cc; then return 0; fi
  if [ ! -x "$zig/bin/c++" ]; then
    rm -rf "$zig"
    "$UV" pip install --python "$VENV_DEMO/bin/python" --target "$zig/lib" ziglang ||
      return 1
    mkdir -p "$zig/bin"
    for name in cc c++; do
      # zig's linker does not know this flag of Debian's and Python's defaults.
      cat >"$zig/bin/$name" <<WRAPPER
#!/usr/bin/env bash
arguments=()
for argument in "\$@"; do
  [ "\$argument" = -Wl,-Bsymbolic-functions ] || arguments+=("\$argument")
done
exec "$zig/lib/ziglang/zig" $name "\${arguments[@]}"
WRAPPER
      chmod +x "$zig/bin/$name"
    done
  fi
  export CC="$zig/bin/cc" CXX="$zig/bin/c++"
}

# The requirements of every integration the demo loads, under Home Assistant's pins.
need_demo_packages() {
  local python="$VENV_DEMO/bin/python" list="$LOGS/demo-requirements.txt" stamp pins
  ADVICE="The packages of Home Assistant's frontend could not be installed: see that PyPI
can be reached and that the disk is not full (about 1 GB is needed), then run the
command again."
  # All that the list of requirements is made from.
  stamp=$(cat "$VENV_DEMO/.stamp" custom_components/*/manifest.json \
    scripts/demo_lib/requirements.py | hash_of) || return 1
  if [ "$(cat "$VENV_DEMO/.stamp-packages" 2>/dev/null)" = "$stamp" ]; then
    NOTE="ready"
    return 0
  fi
  "$python" -m scripts.demo_lib.requirements >"$list" || return 1
  need_compiler || return 1
  pins=$("$python" -c "import homeassistant; print(homeassistant.__path__[0])") || return 1
  "$UV" pip install --python "$python" --requirement "$list" \
    --constraint "$pins/package_constraints.txt" || return 1
  printf '%s\n' "$stamp" >"$VENV_DEMO/.stamp-packages"
}
