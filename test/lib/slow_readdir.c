// SPDX-License-Identifier: Apache-2.0
/* To be loaded before the C library: a disk on which folders are read slowly,
 * 50 names a second. */
#include <dirent.h>
#include <dlfcn.h>
#include <time.h>

/* By the name that it has for files of any size. */
struct dirent *
readdir(DIR *d)
{
	const struct timespec t = { .tv_nsec = 20000000 };
	struct dirent *(*real)(DIR *);

	*(void **)&real = dlsym(RTLD_NEXT, "readdir64");
	(void)nanosleep(&t, NULL);
	return real(d);
}
