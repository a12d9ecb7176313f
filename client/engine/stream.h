// SPDX-License-Identifier: Apache-2.0
/* The content of one file in order, fetched ahead by a few threads. */
#ifndef SKERRY_CLIENT_ENGINE_STREAM_H
#define SKERRY_CLIENT_ENGINE_STREAM_H

#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "base/fault.h"
#include "client/engine/reader.h"

/* Called in file order with verified bytes only; 0 or a FAULT_*. */
struct stream_sink {
	int (*data)(void *arg, const uint8_t *p, size_t n, struct fault *f);
	void *arg;
};

/* Gives all of the file with that key.  FAULT_NOT_FOUND, FAULT_USAGE (not a
 * file), FAULT_INTERRUPTED, as reader_chunk; the sink's. */
int stream_run(struct space *sp, const struct commit *commit,
    struct bytes key, const struct stream_sink *sink,
    struct fault *f) must_check;

#endif
