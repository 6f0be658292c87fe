// SPDX-License-Identifier: GPL-2.0

/**
 * DOC: Attributes of files
 *
 * The memfd handler of the base makes a new memfd from the contents, and adds the seals
 * that the old one had when it was preserved. The new one is open for reading and writing
 * whatever the old one was, and executable, for which reason F_SEAL_EXEC adds all seals
 * against writing: guest memory that was made with MFD_NOEXEC_SEAL could not be written
 * any more.
 *
 * LUO knows the file on both sides. So it hands over mode, seals, access mode and
 * O_APPEND beside the record, as they are at the freeze, and sets them on the file that
 * the handler returns, before anyone else has it. What else a new memfd does not have,
 * like the owner and the name, stays lost.
 *
 * Setting seals and mode directly bypasses the rules of memfd_add_seals(). It only
 * restores a state that the file had. But the inode belongs to the process that retrieves
 * it, which can change the mode and open the file again: only seals protect it from that
 * process.
 */

#include <linux/err.h>
#include <linux/file.h>

#include "luo_attr.h"

/**
 * luo_attr_of - get the attributes of a file that do not change
 * @file: the file
 *
 * Context: any.
 * Return: %LUO_ATTR_...; 0 if it is in no tmpfs: its handler keeps what matters.
 */
u32 luo_attr_of(const struct file *file)
{
	const struct inode *inode = file_inode(file);
	u32 attr = LUO_ATTR_KNOWN;

	/* Another filesystem may map a file of tmpfs, or a handler add to one. */
	if (!shmem_mapping(inode->i_mapping) || file->f_mapping != inode->i_mapping ||
	    file->f_op != inode->i_fop)
		return 0;

	if (file->f_mode & FMODE_READ)
		attr |= LUO_ATTR_READ;
	if (file->f_mode & FMODE_WRITE)
		attr |= LUO_ATTR_WRITE;
	return attr;
}

/* Nobody else has the file yet, so that no lock is needed. */
static int luo_attr_apply_inode(struct inode *inode, u32 attr)
{
	unsigned int seals = (attr & LUO_ATTR_SEALS) >> LUO_ATTR_SEALS_SHIFT;
	unsigned int *has = &SHMEM_I(inode)->seals;
	int err = 0;

	/* F_SEAL_WRITE denies writable mappings, see memfd_add_seals(). */
	if (*has & ~seals & F_SEAL_WRITE)
		mapping_allow_writable(inode->i_mapping);
	else if (seals & ~*has & F_SEAL_WRITE)
		err = mapping_deny_writable(inode->i_mapping);
	if (err)
		return err;

	*has = seals;
	inode->i_mode = (inode->i_mode & S_IFMT) | (attr & LUO_ATTR_MODE);
	return 0;
}

static unsigned int luo_attr_open_flags(u32 attr)
{
	unsigned int flags = attr & LUO_ATTR_APPEND ? O_APPEND : 0;

	switch (attr & (LUO_ATTR_READ | LUO_ATTR_WRITE)) {
	case LUO_ATTR_READ | LUO_ATTR_WRITE:
		return flags | O_RDWR;
	case LUO_ATTR_WRITE:
		return flags | O_WRONLY;
	case LUO_ATTR_READ:
		return flags | O_RDONLY;
	default:
		/* For neither, see open(2). */
		return flags | O_ACCMODE;
	}
}

/**
 * luo_attr_apply - give a retrieved file the attributes that it had
 * @filep: the file, with a reference; another open file of the same inode afterwards
 *	   if the access mode differs
 * @attr:  %LUO_ATTR_...
 *
 * Context: may sleep; before the file is given to anyone.
 * Return: 0; -EINVAL if it is in no tmpfs; -EBUSY if a seal against writing is missing, but
 *	   somebody can write; or the errno of opening the file again. It can be called
 *	   again.
 */
int luo_attr_apply(struct file **filep, u32 attr)
{
	struct file *file = *filep, *opened;
	u32 is = luo_attr_of(file);
	struct luo_attr_seen seen;
	int err;

	if (!(attr & LUO_ATTR_KNOWN))
		return 0;
	if (!is)
		return -EINVAL;

	err = luo_attr_apply_inode(file_inode(file), attr);
	if (err)
		return err;
	if (luo_attr_final(file, is, &seen) == attr)
		return 0;

	opened = dentry_open(&file->f_path, luo_attr_open_flags(attr) |
			     (file->f_flags & O_LARGEFILE), file->f_cred);
	if (IS_ERR(opened))
		return PTR_ERR(opened);

	opened->f_pos = file->f_pos;
	*filep = opened;
	fput(file);
	return 0;
}
