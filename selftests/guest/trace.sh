#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
trace_test > /tmp/trace.tap
ret=$?
vm-put /tmp/trace.tap
exit $ret
