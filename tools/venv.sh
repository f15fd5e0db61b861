#!/bin/sh
# Make .venv hold exactly what a lock file names:  sh tools/venv.sh requirements.txt
# or another folder:                               sh tools/venv.sh requirements-security.txt .venv-security
# A copy of the lock file is kept there once it has been installed; while the two are equal there
# is nothing to do, and nothing is asked of the network.
set -eu

lock=$1
venv=${2:-.venv}

is_new_enough() {
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null
}

find_python() {
    for candidate in ${PYTHON:-} python3 python3.14 python3.13 python3.12 python3.11 python; do
        if is_new_enough "$candidate"; then
            echo "$candidate"
            return
        fi
    done
    echo 'Python 3.11 or newer was not found. Install it, or name it: make run PYTHON=/path/to/python3' >&2
    return 1
}

if ! is_new_enough "$venv/bin/python" || ! "$venv/bin/python" -c 'import pip' 2>/dev/null; then
    python=$(find_python)
    if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
        echo "$python cannot make virtual environments. On Debian and Ubuntu: apt install python3-venv" >&2
        exit 1
    fi
    echo "Making $venv with $("$python" --version)"
    "$python" -m venv --clear "$venv"
fi

if cmp -s "$lock" "$venv/$lock"; then
    exit 0
fi
echo "Installing what $lock names (once, a minute or two)"
PIP_DISABLE_PIP_VERSION_CHECK=1 "$venv/bin/python" -m pip install --quiet --require-hashes -r "$lock"
cp "$lock" "$venv/$lock"
# The development lock holds everything of the other one, in the same versions.
if [ "$lock" = requirements-dev.txt ]; then
    cp requirements.txt "$venv/requirements.txt"
fi
