#!/bin/sh
# SPDX-License-Identifier: GPL-2.0

mount -t cgroup2 cgroup2 /sys/fs/cgroup || exit 1
echo +memory > /sys/fs/cgroup/cgroup.subtree_control || exit 1
exec vm-tap group group_test
