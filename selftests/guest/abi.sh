#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
abi_test > /tmp/abi.tap
ret=$?
vm-put /tmp/abi.tap
exit $ret
