# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0
# What the scripts with guests share; in the VM it is /test/vmm_lib.

# The process of a guest's VMM: it has the guest's words, as its keeper, and its RAM.
vmm_pid() {
	grep -lxz "$1 [0-9]*" /proc/[0-9]*/cmdline | while read -r vmm; do
		vmm=${vmm%/cmdline}
		[ -e "$vmm/fd/10" ] && echo "${vmm#/proc/}"
	done
}

# Where the RAM of a guest can be read
ram() {
	echo "/proc/$(vmm_pid "$1")/fd/10"
}

# Whether a guest runs by KVM
by_kvm() {
	ls -l "/proc/$(vmm_pid "$1")/fd" | grep -q kvm-vm
}

# How often a guest has ticked
ticks() {
	guest_check --ticks "$(ram "$1")"
}

# Wait until a guest ticks.
started() {
	for _ in $(seq 600); do
		[ -z "$(vmm_pid "$1")" ] || break
		sleep 0.1
	done
	guest_check --wait "$1" "$(ram "$1")" || exit 1
}

# Wait until a guest has no session of the previous kernel any more.
await_restored() {
	for _ in $(seq 600); do
		luo_agentd list 2> /dev/null | grep -qx "vm-$1" && return
		sleep 0.1
	done
	echo "guest $1 is not restored:"
	luo_agentd list
	exit 1
}
