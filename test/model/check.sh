#!/bin/sh
# Model checks the lease protocol: every planted bug has to be found, then the protocol itself, exhaustively.
# Needs spin and gcc (apt-get install spin gcc) and 4 GB of memory. Options for spin, such as -DHOLDERS=2, are passed on.
set -eu
model="$(cd "$(dirname "$0")" && pwd)/lease.pml"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
cd "$work"

# check <spin options>: leaves pan's report in ./report
check() {
  spin -a "$@" "$model" > /dev/null
  gcc -O2 -DSAFETY -DCOLLAPSE -DMEMLIM=12000 -o pan pan.c
  ./pan -m100000 -w26 > report
}

for bug in NODRIFT RECEIPT ACKEARLY ACTIVEEARLY ROWLATE NORECOVERY OWNTERM NOAUTHORITY FLIPNOW FORGOTTEN NOTRUNCATION; do
  check "-DM_$bug" "$@"
  if ! grep -q "assertion violated" report; then
    echo "$bug: NOT FOUND" && exit 1
  fi
  echo "$bug: found, $(awk '/states, stored/ { print $1 }' report) states"
done

check "$@"
grep -E "errors:|states, stored|Search not completed|elapsed time|assertion violated" report
grep -q "errors: 0" report && ! grep -q "Search not completed" report
