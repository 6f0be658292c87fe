#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# A live update by systemd: it stops the services, preserves the descriptors in their
# stores, and passes them to the services in the next kernel.

if [ "$STAGE" = 0 ]; then
	cat /etc/systemd-version
	vm-kexec --load || exit 1
	vm-note "systemctl kexec"
	systemctl --no-block kexec || exit 1
	# systemd ends this script with all other services.
	sleep 600
	exit 1
fi
systemctl --no-pager status luo-store.service
luotrace timeline
luotrace timeline --json > /tmp/timeline.json
echo "timeline ends with $?"
vm-put /tmp/timeline.json
vm-put /sys/kernel/liveupdate/recorder
luotrace audit
luotrace audit --json > /tmp/audit.json
echo "audit ends with $?"
vm-put /tmp/audit.json
exec vm-tap systemd systemd_test
