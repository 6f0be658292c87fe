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
 * struct luo_attr_seen - what the attributes of a file were made from
 * @seals: of the memfd
 * @mode:  of its inode
 * @flags: of the open file
 */
struct luo_attr_seen {
	u32 seals;
	u32 mode;
	u32 flags;
};

/**
 * luo_attr_final - add the attributes that can change while a file is preserved
 * @file: the file
 * @attr: from luo_attr_of(), not 0
 * @seen: set, for luo_attr_changed()
 *
 * Context: any.
 * Return: %LUO_ATTR_... that are handed over.
 */
static inline u32 luo_attr_final(const struct file *file, u32 attr,
				 struct luo_attr_seen *seen)
{
	struct inode *inode = file_inode(file);

	seen->seals = READ_ONCE(SHMEM_I(inode)->seals);
	seen->mode = READ_ONCE(inode->i_mode);
	seen->flags = READ_ONCE(file->f_flags);

	attr |= seen->mode & LUO_ATTR_MODE;
	attr |= seen->seals << LUO_ATTR_SEALS_SHIFT & LUO_ATTR_SEALS;
	return attr | (seen->flags & O_APPEND ? LUO_ATTR_APPEND : 0);
}

/**
 * luo_attr_changed - check whether luo_attr_final() may return something else now
 * @file: the file
 * @seen: from luo_attr_final()
 *
 * Context: any. Inlined, as the freeze calls it for each file.
 * Return: true if it may.
 */
static inline bool luo_attr_changed(const struct file *file,
				    const struct luo_attr_seen *seen)
{
	struct inode *inode = file_inode(file);

	return (READ_ONCE(SHMEM_I(inode)->seals) ^ seen->seals) |
	       (READ_ONCE(inode->i_mode) ^ seen->mode) |
	       (READ_ONCE(file->f_flags) ^ seen->flags);
}

#endif /* _LINUX_LUO_ATTR_H */
