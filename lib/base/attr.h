// SPDX-License-Identifier: Apache-2.0
/* The few GNU attributes that this project uses, each under one name. */
#ifndef SKERRY_BASE_ATTR_H
#define SKERRY_BASE_ATTR_H

/* A caller that drops the result does not compile. */
#define must_check __attribute__((warn_unused_result))

/* Run fn(&variable) when the variable's scope ends. */
#define defer(fn) __attribute__((cleanup(fn)))

/* Hand a deferred pointer over to the caller: its cleanup then sees NULL. */
#define take(p)                         \
	({                              \
		__typeof__(p) *tp = &(p); \
		__typeof__(p) tv = *tp; \
		*tp = NULL;             \
		tv;                     \
	})

#define printf_like(fmt, args) __attribute__((format(printf, fmt, args)))

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

#endif
