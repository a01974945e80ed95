#!/usr/bin/env bash
# Runs SPIN and `shmcheck explore` on the same scope, side by side, and prints a table: equal
# numbers first, then the median times of interleaved rounds. Exit code 1 when the numbers differ.
# Usage: compare.sh [rounds]; needs spin and cc.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
rounds=${1:-5}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
dotnet build -c Release "$here/../../src/Cli" >/dev/null
command=$here/../../src/Cli/bin/Release/net10.0/shmcheck.dll

field() { sed -n "s/^  \"$1\": \([0-9.]*\),*$/\1/p" "$work/json"; }
median() { sort -n "$1" | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }

for _ in $(seq "$rounds"); do
    read -r states transitions seconds < <("$here/count.sh")
    echo "$seconds" >>"$work/spin"
    dotnet "$command" explore --scope model --no-reduction --jobs 1 --json \
        --out "$work/out" >"$work/json"
    if [ "$states" != "$(field states)" ] || [ "$transitions" != "$(field transitions)" ]; then
        echo "SPIN: $states states, $transitions transitions;" \
            "shmcheck: $(field states), $(field transitions)" >&2
        exit 1
    fi
    field seconds >>"$work/full"
    dotnet "$command" explore --scope model --jobs 1 --json --out "$work/out" >"$work/json"
    field seconds >>"$work/reduced"
done

printf '%s states, %s transitions, equal on both sides; medians of %s rounds\n' \
    "$states" "$transitions" "$rounds"
printf '%-52s %10s\n' explorer seconds \
    "SPIN (pan -O2 -DSAFETY -DNOREDUCE)" "$(median "$work/spin")" \
    "shmcheck explore --no-reduction (both sides checked)" "$(median "$work/full")" \
    "shmcheck explore" "$(median "$work/reduced")"
