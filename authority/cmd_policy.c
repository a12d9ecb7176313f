// SPDX-License-Identifier: Apache-2.0
/* policy key, policy sign, policy show. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "authority/cmd.h"
#include "authority/config.h"
#include "authority/outfile.h"
#include "authority/policykey.h"
#include "crypt/paseto.h"
#include "crypt/secret.h"
#include "crypt/sign.h"
#include "net/policy.h"
#include "net/text.h"

#define MAGIC POLICYKEY_MAGIC
#define LINE_LEN POLICYKEY_LINE_LEN

static int
print_key(const struct sign_pub *pub, struct fault *f)
{
	char text[TEXT_B64_SIZE(32)];

	text_b64(pub->b, sizeof(pub->b), text, sizeof(text));
	if (printf("{\n  \"policy_key\": \"%s\"\n}\n", text) < 0 ||
	    fflush(stdout) != 0)
		return fault_set(f, FAULT_IO, "cannot write to stdout");
	return 0;
}

int
cmd_policy_key(int argc, char **argv, struct fault *f)
{
	struct sign_key *key defer(secret_freep) = secret_new(sizeof(*key));
	char *line defer(secret_freep) = secret_new(LINE_LEN + 1);
	const char *out = NULL;
	const struct cmd_option o[] = { { "out", &out, true } };
	struct sign_pub pub;
	int rc = cmd_options(argc, argv, o, ARRAY_LEN(o), NULL, f);

	if (rc != 0)
		return rc;
	if (key == NULL || line == NULL)
		return fault_set(f, FAULT_MEMORY, "out of memory");
	sign_new(key, &pub);
	memcpy(line, MAGIC, sizeof(MAGIC) - 1);
	text_b64(key->seed, sizeof(key->seed), line + sizeof(MAGIC) - 1,
	    TEXT_B64_SIZE(32));
	line[LINE_LEN - 1] = '\n';
	rc = outfile_write(out, 0600, bytes_of(line, LINE_LEN), f);
	if (rc != 0)
		return rc;
	rc = print_key(&pub, f);
	if (rc != 0)
		(void)unlink(out); /* nobody could pin it */
	return rc;
}

int
cmd_policy_sign(int argc, char **argv, struct fault *f)
{
	struct sign_key *key defer(secret_freep) = secret_new(sizeof(*key));
	struct buf json defer(buf_wipe) = buf_init(POLICY_FILE_MAX);
	struct buf file defer(buf_wipe) = buf_init(POLICY_FILE_MAX);
	const char *keyfile = NULL, *in = NULL, *out = NULL;
	const struct cmd_option o[] = { { "key", &keyfile, true },
		{ "in", &in, true }, { "out", &out, true } };
	int rc = cmd_options(argc, argv, o, ARRAY_LEN(o), NULL, f);

	if (rc != 0)
		return rc;
	if (key == NULL)
		return fault_set(f, FAULT_MEMORY, "out of memory");
	rc = policykey_read(keyfile, key, f);
	if (rc == 0)
		rc = config_read(in, &json, f);
	if (rc != 0)
		return rc;
	rc = policy_sign(buf_bytes(&json), key, &file, f);
	if (rc != 0)
		return fault_add(f, rc, "%s", in);
	return outfile_write(out, 0644, buf_bytes(&file), f);
}

/* The payload as it was signed, indented. */
int
cmd_policy_show(int argc, char **argv, struct fault *f)
{
	struct buf file defer(buf_wipe) = buf_init(POLICY_FILE_MAX);
	struct buf json defer(buf_wipe) = buf_init(POLICY_FILE_MAX);
	struct policy *p defer(policy_freep) = NULL;
	const char *path = NULL;
	json_t *j;
	int rc = cmd_options(argc, argv, NULL, 0, &path, f), bad;

	if (rc == 0 && path == NULL)
		rc = fault_set(f, FAULT_USAGE, "a file is wanted");
	if (rc == 0)
		rc = config_read(path, &file, f);
	if (rc != 0)
		return rc;
	rc = policy_load(buf_bytes(&file), NULL, &p, f);
	if (rc != 0)
		return fault_add(f, rc, "%s", path);
	rc = paseto_verify(&p->signer, bytes_of(file.p + TEXT_B64_SIZE(32),
	    file.n - TEXT_B64_SIZE(32) - 1), &json);
	if (rc == 0)
		rc = print_key(&p->signer, f);
	if (rc != 0)
		return rc;
	j = json_loadb((const char *)json.p, json.n, 0, NULL);
	bad = j == NULL || json_dumpf(j, stdout, JSON_INDENT(2)) != 0 ||
	    printf("\n") < 0 || fflush(stdout) != 0;
	json_decref(j);
	return bad ? fault_set(f, FAULT_IO, "cannot write to stdout") : 0;
}
