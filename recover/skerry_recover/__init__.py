# SPDX-License-Identifier: Apache-2.0
"""A second reader of Skerry's formats, written from spec/ alone.  From below: fault; names
(primitives, keys, sealings); forms (bytes to values); space (depot, head, commits, index, tree);
restore and check (what is done with them)."""
