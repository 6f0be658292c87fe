/* SPDX-License-Identifier: GPL-2.0 */

/* What a handler may lose of a file */

#ifndef _LINUX_LUO_ATTR_H
#define _LINUX_LUO_ATTR_H

#include <linux/fcntl.h>
#include <linux/fs.h>
#include <linux/kho/abi/luo.h>
#include <linux/shmem_fs.h>

u32 luo_attr_of(const struct file *file);
int luo_attr_apply(struct file **filep, u32 attr);

/**
 * luo_attr_final - add the attributes that can change while a file is preserved
 * @file: the file
 * @attr: from luo_attr_of(), not 0
 *
 * Context: any. Inlined, as the freeze calls it for each file.
 * Return: %LUO_ATTR_... that are handed over.
 */
static inline u32 luo_attr_final(const struct file *file, u32 attr)
{
	struct inode *inode = file_inode(file);
	u32 seals = READ_ONCE(SHMEM_I(inode)->seals);

	attr |= READ_ONCE(inode->i_mode) & LUO_ATTR_MODE;
	attr |= seals << LUO_ATTR_SEALS_SHIFT & LUO_ATTR_SEALS;
	return attr | (READ_ONCE(file->f_flags) & O_APPEND ? LUO_ATTR_APPEND : 0);
}

#endif /* _LINUX_LUO_ATTR_H */
