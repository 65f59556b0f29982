#!/bin/sh
# Create .venv and the backing services' environments from the locks. Needs Python 3.11 to 3.14 and a package index.
# With `checks`, create the environment of `make validate` instead, which nothing else needs.
set -eu
cd "$(dirname "$0")/.."

# SETUP_PYTHON=3.12 chooses one. Else the template's runtime comes first: tests then run on what Lambda runs.
VERSIONS="${SETUP_PYTHON:-3.13 3.12 3.14 3.11}"

fail() {
  printf 'setup: %s\n' "$1" >&2
  exit 1
}

answers() { # a pyenv shim exists for versions that are not selected: run it to know
  "$1" -I -c "import sys; sys.exit('%d.%d' % sys.version_info[:2] != '$2')" >/dev/null 2>&1
}

find_python() {
  for version in $VERSIONS; do
    for candidate in "python$version" python3 "${PYENV_ROOT:-$HOME/.pyenv}/versions/$version".*/bin/python; do
      if answers "$candidate" "$version"; then
        printf '%s' "$candidate"
        return
      fi
    done
    if command -v uv >/dev/null 2>&1; then
      uv python find --no-project --no-python-downloads "$version" 2>/dev/null && return
    fi
  done
}

# pip's settings name the index of this machine; uv has settings of its own.
index="${UV_DEFAULT_INDEX:-${PIP_INDEX_URL:-}}"

python=$(find_python)
[ -n "$python" ] || fail "no Python ${SETUP_PYTHON:-3.11 to 3.14} answers on this machine: install one, for example python3.13."

if ! [ -x .venv/bin/python ] || ! .venv/bin/python -c '' 2>/dev/null; then
  rm -rf .venv
  "$python" -m venv .venv 2>/dev/null ||
    fail "$python cannot make virtual environments: install its venv module (Debian: apt-get install python3-venv)."
fi
echo "Setting up${1:+ the $1} with $(.venv/bin/python -V) ..."

if ! .venv/bin/uv --version >/dev/null 2>&1; then
  .venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r tools/uv.txt ||
    fail "the package index does not answer: check the network, or name your index in PIP_INDEX_URL."
fi
[ -n "$index" ] || index=$(.venv/bin/python -m pip config get global.index-url 2>/dev/null || true)
[ -z "$index" ] || export UV_DEFAULT_INDEX="$index"
uv=$PWD/.venv/bin/uv

# Exported, the lock holds for any index or mirror: hashes decide, not addresses.
install_group() { # GROUP PYTHON [REQUIREMENTS ...]
  group=$1 environment=$2
  shift 2
  "$uv" export --quiet --frozen --no-emit-workspace --only-group "$group" --output-file ".local/$group.txt" >/dev/null
  set -- -r ".local/$group.txt" "$@"
  "$uv" pip install --quiet --python "$environment" --no-deps --require-hashes "$@"
}

mkdir -p .local
if [ "${1:-}" = checks ]; then
  [ -x .local/checks/bin/python ] || "$uv" venv --quiet --python .venv/bin/python .local/checks
  install_group checks .local/checks/bin/python ||
    fail "the tools of make validate could not be installed: check the network, or name your index in UV_DEFAULT_INDEX."
  exit
fi
[ -x .local/ministack/bin/python ] || "$uv" venv --quiet --python .venv/bin/python .local/ministack
"$uv" pip install --quiet --python .local/ministack/bin/python --no-deps --require-hashes -r emulator/aws/requirements.txt &
ministack=$!
install_group dev .venv/bin/python -r inventory_function/requirements.txt -r shopbot_function/requirements.txt ||
  fail "the locked packages could not be installed: check the network, or name your index in UV_DEFAULT_INDEX."
# Any program of .venv finds what both functions import: uvicorn, gunicorn, pytest.
pwd >"$(.venv/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/shop-on-sam.pth"
wait "$ministack" || fail "MiniStack could not be installed: check the network, or name your index in UV_DEFAULT_INDEX."

runtime=$(sed -n '/^  LambdaRuntime:/,/Default:/s/ *Default: *//p' template.yaml)
.venv/bin/python -m emulator.engine.runtime_client "$runtime" .local >/dev/null ||
  fail "the Lambda runtime interface client could not be installed: see the line above."
