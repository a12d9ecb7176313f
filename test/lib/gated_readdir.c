// SPDX-License-Identifier: Apache-2.0
/* To be loaded before the C library: a disk on which no name of a folder is
 * read while there is a file GATE (in the environment). */
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

/* By the name that it has for files of any size. */
struct dirent *
readdir(DIR *d)
{
	const struct timespec t = { .tv_nsec = 20000000 };
	const char *gate = getenv("GATE");
	struct dirent *(*real)(DIR *);
	struct stat st;

	*(void **)&real = dlsym(RTLD_NEXT, "readdir64");
	while (gate != NULL && stat(gate, &st) == 0)
		(void)nanosleep(&t, NULL);
	errno = 0; /* as the caller has it, to tell the end from a fault */
	return real(d);
}
