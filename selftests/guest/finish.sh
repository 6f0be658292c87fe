#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# luotrace finish, on either LUO.

# expect CODE TEXT: check the exit code and the output
expect() {
	[ "$code" = "$1" ] && grep -q "$2" /tmp/out && return
	cat /tmp/out
	echo "not ok: code $code, want $1 and: $2"
	exit 1
}

finish() {
	luotrace finish "$@" > /tmp/stdout 2> /tmp/stderr < /dev/null
	code=$?
	cat /tmp/stdout /tmp/stderr > /tmp/out
}

if [ "$STAGE" = 0 ]; then
	vm-hold stock_edge_test hold && vm-kexec
	exit 1
fi
luotrace audit > /tmp/audit
[ $? = 1 ] || exit 1
# Without a terminal to ask on, it does nothing.
finish first
expect 2 "standard input is not a terminal"
finish --yes
expect 2 "no session is named"
finish --yes first nowhere
expect 1 "no incoming session nowhere"
grep -q "finished first" /tmp/out || exit 1
# Another process has the device.
exec 3< /dev/liveupdate
finish --yes last
expect 3 "/dev/liveupdate is held by process $$ "
exec 3<&-
finish --yes --json leaves-1 leaves-2
expect 0 '"finished": true'
[ "$(grep -c '"finished": true' /tmp/out)" = 2 ] || exit 1
vm-put /tmp/stdout finish.json
# These three are gone, the others are not.
luotrace audit --json > /tmp/audit
[ $? = 1 ] || exit 1
vm-put /tmp/audit audit.json
for name in first leaves-1 leaves-2; do
	! grep -q "\"name\": \"$name\"" /tmp/audit || exit 1
done
[ "$(grep -c '"name": "leaves-[0-9]*"' /tmp/audit)" = 148 ] || exit 1
grep -q '"name": "last"' /tmp/audit
