#!/usr/bin/env bash
# Counts the model's states and transitions with SPIN: prints "STATES TRANSITIONS SECONDS".
# Usage: count.sh [compiler flags]; needs spin and cc.
set -euo pipefail
model=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)/shm.pml
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
spin -a "$model" >/dev/null
cc -w -O2 -DSAFETY -DNOREDUCE "$@" -o pan pan.c
./pan -m1000000 -w22 >out
if ! grep -q 'errors: 0' out; then
    cat out >&2
    exit 1
fi

# SPIN counts the way into the first state as a transition.
awk '
    / states, stored/ { states = $1 }
    /^ *[0-9]+ transitions / { transitions = $1 - 1 }
    /^pan: elapsed time/ { seconds = $4 }
    END { print states, transitions, seconds + 0 }' out
