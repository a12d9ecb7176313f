// SPDX-License-Identifier: Apache-2.0
#include "client/notice.h"

#include <stdatomic.h>
#include <stdio.h>

#include "client/terminal.h"

static atomic_bool watched, said;

void
notice_set(bool on)
{
	atomic_store(&watched, on);
}

void
notice_clear_line(void)
{
	if (terminal_redraws())
		(void)fputs("\r\033[K", stderr);
}

void
notice_again(const struct fault *why)
{
	if (!atomic_load(&watched) || atomic_exchange(&said, true))
		return;
	notice_clear_line();
	(void)fprintf(stderr, "skerry: %s; trying again …\n", why->text);
}
