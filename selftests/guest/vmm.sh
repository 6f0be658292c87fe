#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Guests in Debian's QEMU live on while the kernel of the VM is replaced:
#
#	vmm.sh updates N [next]	one guest through N live updates; into the next kernel
#				and back by turns
#	vmm.sh box		one, and the black box of luotrace has the timeline
#	vmm.sh three		three guests, one VMM stopped by a signal, a vetoed update
#	vmm.sh kill		the agent and a keeper are killed at many points

# shellcheck source=selftests/guest/lib.sh
. /test/lib
# shellcheck source=selftests/guest/vmm_lib.sh
. /test/vmm_lib

scenario=$1
last=${2-1}
turns=${3-}
own=
[ ! -e /sys/kernel/liveupdate/recorder ] || own=1

# Load the kernel of the next stage while guests run.
load() {
	if [ "$turns" ] && [ $((STAGE % 2)) = 0 ]; then
		vm-kexec --load --next
	else
		vm-kexec --load
	fi
}

# Replace the kernel; only returns if that fails.
update() {
	send
	luo_agentd update "vm-kexec --exec"
}

# shellcheck disable=SC2317 # check calls it
# A row whose kernel has no KVM must not have it, all others must.
accelerated() {
	if grep -q initcall_blacklist /proc/cmdline; then
		[ ! -e /dev/kvm ]
	else
		by_kvm "$1"
	fi
}

# Judge guests after an update, and its timeline if this kernel has a record.
judge() {
	for n in "$@"; do
		await_restored "$n"
		check "guest $n is as it was" \
			guest_check --pass "$n" "$(ram "$n")" "/state/sum$n"
		sed 's/^/# /' /tmp/check.out
		check "guest $n has the accelerator that is meant" accelerated "$n"
	done
}

timeline() {
	luotrace timeline "$@" > /tmp/timeline.txt || [ $? = 1 ] || exit 1
	luotrace timeline "$@" --json > /tmp/timeline.json || [ $? = 1 ] || exit 1
	vm-put /tmp/timeline.txt
	vm-put /tmp/timeline.json
	cat /tmp/timeline.txt
}

# Memory that is free, in KiB, with the lists of the CPUs
free_now() {
	awk '$1 == "nr_free_pages" || $1 == "count:" { pages += $2 }
	     END { print 4 * pages }' /proc/zoneinfo
}

# Memory that is free once nothing is going on: what was freed is free only after a while.
note_free() {
	most=0
	for _ in $(seq 4); do
		sync
		echo 3 > /proc/sys/vm/drop_caches
		sleep 0.5
		now=$(free_now)
		[ "$now" -le "$most" ] || most=$now
	done
	echo "$most" >> /state/free
}

# shellcheck disable=SC2317 # check calls it
# As much memory is free as after the first update into the same kernel, but for noise of
# 4 MiB.
nothing_lost() {
	cat /state/free
	cat /proc/meminfo
	first=1
	[ ! "$turns" ] || first=2
	[ $(($(sed -n "${first}p" /state/free) - $(sed -n '$p' /state/free))) -lt 4096 ]
}

begin() {
	for n in "$@"; do
		started "$n"
		guest_check --sum "$(ram "$n")" > "/state/sum$n"
		# Nothing was asked of LUO yet; see Documentation/testing.rst.
		grep -qx "starts 1" "/state/sum$n" ||
			echo "# guest $n was reset before it is looked at" >> /tmp/script.tap
	done
}

updates() {
	if [ "$STAGE" = 0 ]; then
		begin 1
	else
		judge 1
		# What the base's LUO leads to has one only with a black box.
		[ ! "$own" ] || [ "$turns" ] || timeline
		note_free
	fi
	if [ "$STAGE" = "$last" ]; then
		[ "$last" = 1 ] || check "no memory is lost" nothing_lost
		send
		exit 0
	fi
	load
	update
	exit 1
}

box() {
	start_box /state/updates
	[ "$STAGE" = 1 ] || {
		begin 1
		load
		update
		exit 1
	}
	judge 1
	# What QEMU emulates in an emulated machine takes long to tick again.
	[ -e /dev/kvm ] || {
		echo vm-1 > /tmp/uncompared
		vm-put /tmp/uncompared
	}
	await_update /state/updates
	timeline --dir /state/updates
	luotrace audit
	send
	exec vm-tap phases phases_test /tmp/timeline.json
}

# shellcheck disable=SC2317
# goes_on GUEST [TIMES]: it ticks on; looked at so many times, until it has
goes_on() {
	before=$(ticks "$1") || return 1
	for _ in $(seq "${2:-100}"); do
		sleep 0.1
		now=$(ticks "$1") || return 1
		# One that started anew has not gone on.
		[ "$now" -ge "$before" ] || return 1
		[ "$now" = "$before" ] || return 0
	done
	return 1
}

# shellcheck disable=SC2317
is_stopped() {
	grep "^State:.*stopped" "/proc/$(vmm_pid "$1")/status"
}

# shellcheck disable=SC2317
stands() {
	ticks "$1" && ! goes_on "$1" 20
}

# shellcheck disable=SC2317
# It ends with 1, and says why.
vetoed() {
	luo_agentd update "vm-kexec --exec 2> /tmp/why" > /tmp/vetoed 2>&1
	[ $? = 1 ] && cat /tmp/vetoed /tmp/why && grep "ended with" /tmp/vetoed &&
		grep "Numerical argument" /tmp/why
}

three_0() {
	begin 1 2 3
	load
	kill -STOP "$(vmm_pid 2)"
	vm-hold box_test veto
	veto=$!
	check "an update is vetoed" vetoed
	vm-note "vetoed"
	check "guest 1 goes on" goes_on 1
	check "guest 3 goes on" goes_on 3
	check "the VMM of guest 2 is stopped as before" is_stopped 2
	killall box_test
	wait $veto
	vm-note "updating"
	update
	exit 1
}

three_1() {
	for n in 1 2 3; do
		await_restored $n
	done
	check "the VMM of guest 2 is stopped as before the update" is_stopped 2
	check "guest 2 stands still" stands 2
	kill -CONT "$(vmm_pid 2)"
	judge 1 2 3
	echo vm-2 > /tmp/uncompared
	vm-put /tmp/uncompared
	[ ! "$own" ] || timeline
	luotrace audit
	send
	exit 0
}

# try NAME PROCESS N: start it anew, to be killed at its Nth system call; make updates whose
# command fails until it is killed, or with 0, which kills nothing, one
try() {
	rm -f "/run/kill_at.$2"
	# With a fault of the guest, what was going on
	echo "$2 ends at its system call $3; guest 1 is at tick $(ticks 1)" > /dev/console
	echo "$3" > "/state/kill.$1"
	killall -9 "$2"
	for _ in $(seq 100); do
		! grep -qs killed "/run/kill_at.$2" || return 0
		sleep 0.1
		[ ! -s "/state/kill.$1" ] || continue
		luo_agentd update false 2>&1 | grep "ended with" || continue
		[ "$3" != 0 ] || return 0
	done
	return 1
}

# shellcheck disable=SC2317
# survives NAME PROCESS N: the same; it was killed, the guest runs and is kept
survives() {
	try "$@" && grep killed "/run/kill_at.$2" || return 1
	end=$(($(date +%s) + 60))
	while [ "$(date +%s)" -lt "$end" ]; do
		luo_agentd list 2> /dev/null | grep -qx vm-1 && goes_on 1 && return
		sleep 0.1
	done
	luo_agentd list
	guest_check 1 "$(ram 1)"
	return 1
}

# points NAME PROCESS N: kill it at so many points between its start and the end of an update
points() {
	try "$1" "$2" 0 || exit 1
	calls=$(cat "/run/kill_at.$2")
	vm-note "$2: $calls system calls"
	for i in $(seq "$3"); do
		n=$((1 + calls * (i - 1) / $3))
		check "$2 is killed at system call $n" survives "$1" "$2" $n
		# A guest that is lost stays so, and the time limit would lose what is known.
		goes_on 1 || {
			send
			exit 1
		}
	done
}

# The agent and all keepers are killed while the kernel is about to be replaced.
replace_killed() {
	rm -f /run/replacing
	luo_agentd update "touch /run/replacing; sleep 3; vm-kexec --exec" &
	for _ in $(seq 300); do
		[ -e /run/replacing ] && break
		sleep 0.1
	done
	killall -9 luo_agentd luo_keeper
	sleep 60
	exit 1
}

# shellcheck disable=SC2317
# says CODE TEXT COMMAND...: it ends with the code, and says the text
says() {
	code=$1
	text=$2
	shift 2
	"$@" > /tmp/said 2>&1
	[ $? = "$code" ] && grep "$text" /tmp/said
	ret=$?
	cat /tmp/said
	return "$ret"
}

# A guest that cannot be started, and one that its operator gives up
forget() {
	for n in 1 2; do
		check "a VMM that ends at once ends its keeper, time $n" \
			says 1 "cannot start the VMM" luo_keeper vm-9 64 -- /bin/false
	done
	check "a guest without a keeper keeps updates from being made" \
		says 1 "guest 'vm-9' has no keeper; all" luo_agentd update false
	check "it is forgotten" luo_agentd forget vm-9
	vm-hold guest_check --lock /run/luo/vm-8.vmm
	check "so does a VMM that the agent has not heard of" \
		says 1 "guest 'vm-8' has no keeper; all" luo_agentd update false
	killall guest_check
	check "and not known any more" says 1 "no such guest" luo_agentd forget vm-9
	check "a guest with a keeper is not forgotten" \
		says 1 "has a keeper" luo_agentd forget vm-1
	check "a name with a slash is none" says 2 "1 to 63 bytes" luo_keeper a/b 64 -- x
}

kill_0() {
	begin 1
	forget
	points agent luo_agentd 16
	points vm-1 luo_keeper 18
	check "guest 1 is as it was" guest_check --pass 1 "$(ram 1)" /state/sum1
	check "one VMM runs" [ "$(pidof qemu-system-x86_64 | wc -w)" = 1 ]
	# For the next kernel: each start of a keeper may get a little further.
	for n in $(seq 2 5 97); do
		echo "$n"
	done > /state/kill.vm-1
	# A stock kernel finishes a session that its last owner closes.
	[ ! "$own" ] || printf '2\n8\n16\n24\n32\n40\n' > /state/kill.agent
	load
	rm -f /state/kill.*
	vm-note "killing agent and keeper while the kernel is replaced"
	send
	replace_killed
}

kill_1() {
	judge 1
	check "one VMM runs" [ "$(pidof qemu-system-x86_64 | wc -w)" = 1 ]
	kills=$(wc -l < /run/killed.luo_keeper)
	check "the keeper was killed $kills times, at least ten" [ "$kills" -ge 10 ]
	[ ! "$own" ] ||
		check "the agent was killed six times" [ "$(wc -l < /run/killed.luo_agentd)" = 6 ]
	check "nothing is left of the update" luotrace audit
	sed 's/^/# /' /tmp/check.out
	send
	exit 0
}

[ ! -e /tools/luo_test_module.ko ] || insmod /tools/luo_test_module.ko || exit 1
case $scenario-$STAGE in
kill-0) kill_0 ;;
kill-1) kill_1 ;;
updates-*) updates ;;
box-*) box ;;
three-0) three_0 ;;
three-1) three_1 ;;
esac
exit 1
