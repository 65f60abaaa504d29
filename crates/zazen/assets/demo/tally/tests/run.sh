#!/bin/sh
# Runs every test, and fails if one of them does.
cd "$(dirname "$0")/.." || exit 1
failed=0

check() {
    name=$1 want=$2 got=$3
    if [ "$want" = "$got" ]; then
        echo "ok   $name"
    else
        echo "FAIL $name"
        printf '  want: %s\n  got:  %s\n' "$want" "$got"
        failed=1
    fi
}

check "sums by category" "food 20.70
rent 900.00" "$(./tally <<DATA
2026-06-01 food 12.50
2026-06-02 rent 900.00
2026-06-09 food 8.20
DATA
)"

check "skips empty lines" "food 1.00" "$(printf '\n2026-06-01 food 1\n\n' | ./tally)"

check "says what is wrong with a line" "tally: line 1: want DATE CATEGORY AMOUNT" \
    "$(echo "2026-06-01 food" | ./tally 2>&1)"

[ "$failed" -eq 0 ] && echo "all tests passed"
exit "$failed"
