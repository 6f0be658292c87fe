#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# race.sh SECONDS
exec vm-tap race race_test "$1"
