// SPDX-License-Identifier: Apache-2.0
/* client/DESIGN.md, State on disk. */
#include "client/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/rd.h"
#include "base/wr.h"
#include "crypt/kdf.h"
#include "crypt/secret.h"

#define CHECK_LEN 16
#define HEADER_LEN 4
#define FRAME_LEN (HEADER_LEN + CHECK_LEN)

static int
read_all(int fd, const char *name, struct buf *out, struct fault *f)
{
	uint8_t part[4096];
	int rc = 0;

	while (rc == 0) {
		ssize_t n = read(fd, part, sizeof(part));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			rc = fd_fault(name, f);
		if (n <= 0)
			break;
		rc = buf_append(out, part, (size_t)n);
		if (rc != 0)
			rc = fault_add(f, rc, "%s", name);
	}
	secret_wipe(part, sizeof(part));
	return rc;
}

int
file_read(int dirfd, const char *name, struct buf *out, struct fault *f)
{
	int fd defer(fd_close) = openat(dirfd, name,
	    O_RDONLY | O_CLOEXEC | O_NOCTTY);

	if (fd < 0)
		return fd_fault(name, f);
	return read_all(fd, name, out, f);
}

int
file_write(int dirfd, const char *name, struct bytes data, struct fault *f)
{
	char tmp[128];
	int fd, rc;

	/* One name for the temporary file: a crash leaves one at most. */
	if ((size_t)snprintf(tmp, sizeof(tmp), "%s.new", name) >= sizeof(tmp))
		return fault_set(f, FAULT_LIMIT, "%s: name too long", name);
	if (unlinkat(dirfd, tmp, 0) != 0 && errno != ENOENT)
		return fd_fault(tmp, f);
	fd = openat(dirfd, tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return fd_fault(tmp, f);
	rc = fd_write(fd, data) == 0 && fsync(fd) == 0 ? 0 : fd_fault(tmp, f);
	if (close(fd) != 0 && rc == 0)
		rc = fd_fault(tmp, f);
	if (rc == 0 && renameat(dirfd, tmp, dirfd, name) != 0)
		rc = fd_fault(name, f);
	if (rc == 0 && fsync(dirfd) != 0)
		rc = fd_fault(name, f);
	if (rc != 0)
		(void)unlinkat(dirfd, tmp, 0);
	return rc;
}

int
file_remove(int dirfd, const char *name, struct fault *f)
{
	if (unlinkat(dirfd, name, 0) != 0)
		return errno == ENOENT ? 0 : fd_fault(name, f);
	return fsync(dirfd) == 0 ? 0 : fd_fault(name, f);
}

static void
check_of(struct bytes in, uint8_t out[static CHECK_LEN])
{
	static const uint8_t zero[32];
	uint8_t full[32];

	kdf_prf(zero, &in, 1, full);
	memcpy(out, full, CHECK_LEN);
}

/* The check comes first, so that what is damaged is not taken for another
 * version. */
int
file_parse(struct bytes in, enum file_kind kind, struct bytes *out)
{
	struct rd r = rd_from(in.p, in.n);
	uint8_t check[CHECK_LEN];
	struct bytes body;
	int rc;

	if (in.n < FRAME_LEN)
		return FAULT_MALFORMED;
	check_of(bytes_of(in.p, in.n - CHECK_LEN), check);
	if (memcmp(check, in.p + in.n - CHECK_LEN, CHECK_LEN) != 0)
		return FAULT_MALFORMED;
	if (rd_u8(&r) != 1)
		return FAULT_VERSION;
	rd_require(&r, rd_u8(&r) == kind);
	rd_require(&r, rd_u16(&r) == 0);
	body = rd_take(&r, r.failed ? 0 : in.n - FRAME_LEN);
	(void)rd_take(&r, CHECK_LEN);
	rc = rd_finish(&r);
	if (rc == 0)
		*out = body;
	return rc;
}

int
file_check_mode(int dirfd, const char *name, struct fault *f)
{
	struct stat st;

	if (fstatat(dirfd, name, &st, 0) != 0)
		return fd_fault(name, f);
	if (!S_ISREG(st.st_mode) || (st.st_mode & 077) != 0 ||
	    st.st_uid != geteuid())
		return fault_set(f, FAULT_CONFIG,
		    "%s: must be a file of mode 0600, owned by the user",
		    name);
	return 0;
}

int
file_load(int dirfd, const char *name, enum file_kind kind, struct buf *out,
    struct fault *f)
{
	struct buf b defer(buf_wipe) = buf_init(out->max + FRAME_LEN);
	struct bytes body;
	int rc = file_check_mode(dirfd, name, f);

	if (rc == 0)
		rc = file_read(dirfd, name, &b, f);
	if (rc == FAULT_LIMIT)
		return fault_set(f, FAULT_CONFIG, "%s: damaged (too long)",
		    name);
	if (rc != 0)
		return rc;
	rc = file_parse(buf_bytes(&b), kind, &body);
	if (rc == FAULT_VERSION)
		return fault_set(f, FAULT_VERSION,
		    "%s: written by a later release", name);
	if (rc != 0)
		return fault_set(f, FAULT_CONFIG, "%s: damaged", name);
	rc = buf_append(out, body.p, body.n);
	return rc == 0 ? 0 :
			 fault_set(f, FAULT_CONFIG, "%s: damaged (too long)",
			     name);
}

int
file_save(int dirfd, const char *name, enum file_kind kind, struct bytes body,
    struct fault *f)
{
	struct buf b defer(buf_wipe) = buf_init(body.n + FRAME_LEN);
	struct wr w = wr_to(&b);
	uint8_t check[CHECK_LEN];
	int rc;

	/* In one piece: growing would leave copies of a secret behind. */
	rc = buf_reserve(&b, b.max);
	if (rc != 0)
		return fault_add(f, rc, "%s", name);
	wr_u8(&w, 1);
	wr_u8(&w, (uint8_t)kind);
	wr_u16(&w, 0);
	wr_copy(&w, body.p, body.n);
	check_of(buf_bytes(&b), check);
	wr_copy(&w, check, sizeof(check));
	rc = wr_finish(&w);
	if (rc != 0)
		return fault_add(f, rc, "%s", name);
	return file_write(dirfd, name, buf_bytes(&b), f);
}
