// SPDX-License-Identifier: Apache-2.0
#include "authority/front_log.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tlog/tile.h"

int
front_log_open(const char *log, char **path, int *fd, struct fault *f)
{
	char *p = NULL;

	if (asprintf(&p, "%s/log", log) < 0)
		return fault_set(f, FAULT_MEMORY, "front: out of memory");
	if ((mkdir(log, 0755) != 0 && errno != EEXIST) ||
	    (mkdir(p, 0755) != 0 && errno != EEXIST) ||
	    (*fd = open(p, O_PATH | O_DIRECTORY | O_CLOEXEC)) < 0) {
		int rc = fault_sys(f, FAULT_CONFIG, errno, "%s", p);

		free(p);
		return rc;
	}
	*path = p;
	return 0;
}

/* Nothing but the files themselves, wherever a link might lead. */
static int
open_file(int dir, const char *name)
{
	const struct open_how how = { .flags = O_RDONLY | O_CLOEXEC,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS };

	return (int)syscall(SYS_openat2, dir, name, &how, sizeof(how));
}

/* [tlog] a tile never changes; a checkpoint may at any time. */
static const char *
caching(bool checkpoint, const struct tile_id *id)
{
	if (checkpoint)
		return "no-cache";
	return id->width == TILE_WIDTH ? "public, max-age=31536000, immutable" :
	                                 "public, max-age=3600";
}

/* [tlog] Who is told that a tile is missing has a log that does not hold: not
 * where only descriptors, memory or rights are missing here. */
static int
why_not(void)
{
	return errno == ENOENT || errno == ENOTDIR || errno == ELOOP ||
	    errno == EXDEV ? FAULT_NOT_FOUND : FAULT_AUTHORITY;
}

int
front_log_response(int dir, const char *path, struct MHD_Response **out)
{
	const char *name = path + strlen(FRONT_LOG_PREFIX);
	bool checkpoint = strcmp(name, "checkpoint") == 0;
	struct tile_id id = { 0 };
	struct MHD_Response *r;
	struct stat st;
	int fd;

	if (!checkpoint &&
	    tile_path_parse(bytes_of(name, strlen(name)), &id) != 0)
		return FAULT_NOT_FOUND;
	fd = open_file(dir, name);
	if (fd < 0)
		return why_not();
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
		(void)close(fd);
		return FAULT_NOT_FOUND;
	}
	r = MHD_create_response_from_fd((size_t)st.st_size, fd);
	if (r == NULL) {
		(void)close(fd);
		return FAULT_AUTHORITY;
	}
	(void)MHD_add_response_header(r, "Content-Type", checkpoint ?
	    "text/plain; charset=utf-8" : "application/octet-stream");
	(void)MHD_add_response_header(r, "Cache-Control",
	    caching(checkpoint, &id));
	*out = r;
	return 0;
}
