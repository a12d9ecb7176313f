// SPDX-License-Identifier: Apache-2.0
/* The end of a test's folder. */
#ifndef SKERRY_TEST_SCRAP_H
#define SKERRY_TEST_SCRAP_H

#include <ftw.h>
#include <stdio.h>
#include <sys/stat.h>

static inline int
scrap_one(const char *path, const struct stat *st, int type, struct FTW *w)
{
	(void)st, (void)type, (void)w;
	return remove(path);
}

/* Removes the folder and all in it; 0 or -1. */
static inline int
scrap(const char *dir)
{
	return nftw(dir, scrap_one, 16, FTW_DEPTH | FTW_PHYS);
}

#endif
