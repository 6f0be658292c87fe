# SPDX-License-Identifier: GPL-2.0
# What programs are built for: this machine, in build/, or another one that ARCH names, in
# build/$(ARCH)/.

top	:= $(abspath $(dir $(lastword $(MAKEFILE_LIST)))/../..)
build	:= $(top)/build$(if $(ARCH),/$(ARCH))
machine	:= $(if $(ARCH),$(ARCH),$(shell uname -m | sed 's/x86_64/x86/; s/aarch64/arm64/'))
LINK	:= $(top)/tools/build/link
CC	:= gcc
AR	:= ar

ifeq ($(ARCH),arm64)
sysroot	:= $(shell $(top)/tools/build/sysroot arm64)
ifeq ($(sysroot),)
$(error nothing to build for arm64 with)
endif
CC	:= $(sysroot)/cc
AR	:= aarch64-linux-gnu-ar
LINK	:= PKG_CONFIG=$(sysroot)/pkg-config $(LINK)
else ifneq ($(ARCH),)
$(error ARCH=$(ARCH): want arm64, or none for this machine)
endif
