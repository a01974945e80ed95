#!/usr/bin/env bash
# Counts the model's states and transitions with SPIN: prints "STATES TRANSITIONS SECONDS
# KILOBYTES". Usage: count.sh [PROCESSES SEGMENTS [FLAG...]]; the flags are for the compiler.
# Needs spin and cc.
set -euo pipefail
model=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)/shm.pml
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
processes=${1:-2}
segments=${2:-2}
shift $(($# < 2 ? $# : 2))
if [ $# -eq 0 ]; then
    set -- -DSAFETY -DNOREDUCE
fi

# Places of the hash table, as a power of two, and the longest path: there are 53 million states
# with three of both.
places=$((processes + segments > 5 ? 26 : 21))
depth=$((processes + segments > 5 ? 60000000 : 1000000))

cd "$work"
spin -a "-DNP=$processes" "-DNS=$segments" "$model" >/dev/null
cc -w -O2 "$@" -o pan pan.c
./pan "-m$depth" "-w$places" >out
if ! grep -q 'errors: 0' out; then
    cat out >&2
    exit 1
fi

# SPIN counts the way into the first state as a transition, and prints eight digits of a count.
awk '
    / states, stored/ { states = $1 }
    /^ *[0-9.e+]+ transitions / { transitions = $1 - 1 }
    /^pan: elapsed time/ { seconds = $4 }
    /total actual memory usage/ { kilobytes = $1 * 1024 }
    END { printf "%d %d %s %d\n", states, transitions, seconds + 0, kilobytes }' out
