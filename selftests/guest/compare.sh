#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Live updates of three kinds in turns, N of each: of a and b, which are equal, and of slow,
# in which a handler takes 20 ms longer. luotrace compare tells them apart.
#
#	compare.sh N

# shellcheck source=selftests/guest/lib.sh
. /test/lib

n=$1

# kind STAGE: the kind of the live update that leads to this stage
kind() {
	case $(($1 % 3)) in
	0) echo slow ;;
	1) echo a ;;
	*) echo b ;;
	esac
}

# compares CODE NAME ARGUMENTS...: luotrace compare ends so
compares() {
	code=$1
	name=$2
	shift 2
	luotrace compare "$@" > "/tmp/$name.txt"
	is=$?
	vm-put "/tmp/$name.txt"
	if [ $is != "$code" ]; then
		cat "/tmp/$name.txt"
		echo "luotrace compare $* ended with $is, want $code"
		exit 1
	fi
}

# names FILE: the only difference is the handler
names() {
	if ! grep -q "^1 difference for the worse, 0 for the better" "/tmp/$1.txt" ||
	   ! grep -q "^\* handler liveupdate-test-v1, freeze: .* slower" "/tmp/$1.txt"; then
		cat "/tmp/$1.txt"
		exit 1
	fi
}

if [ "$STAGE" != 0 ]; then
	compare_agent restore || exit 1
	dir=/state/$(kind "$STAGE")
	mkdir -p "$dir"
	luotrace timeline --json > "$dir/$STAGE.json" || exit 1
	vm-put "$dir/$STAGE.json"
fi
if [ "$STAGE" != $((3 * n)) ]; then
	us=0
	[ "$(kind $((STAGE + 1)))" != slow ] || us=20000
	vm-hold compare_agent hold $us && vm-kexec
	exit 1
fi

compares 0 equal /state/a /state/b
compares 1 slower /state/a /state/slow
names slower
# Each live update with the one after it, alone.
i=1
while [ $i -lt $((3 * n)) ]; do
	compares 0 "equal-$i" "/state/a/$i.json" "/state/b/$((i + 1)).json"
	compares 1 "slower-$i" "/state/a/$i.json" "/state/slow/$((i + 2)).json"
	names "slower-$i"
	i=$((i + 3))
done
compares 0 faster /state/slow /state/a
luotrace compare --json /state/a /state/slow > /tmp/compare.json
vm-put /tmp/compare.json
luotrace compare --html -o /tmp/compare.html /state/a /state/slow
vm-put /tmp/compare.html
# A budget of what is known to be slow.
luotrace timeline --max-phase freeze=15ms > /tmp/timeline.txt 2> /tmp/budget.txt
is=$?
cat /tmp/budget.txt
[ $is = 4 ] && grep -q "in handler liveupdate-test-v1, freeze" /tmp/budget.txt
