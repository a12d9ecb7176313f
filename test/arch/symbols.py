#!/usr/bin/python3
"""symbols.py DEPOT CLIENT: a depot holds no code that opens sealed data, and asks no library for a cipher.

The same look at the client finds what is looked for, so that a name that is changed does not make the test empty."""
import re
import subprocess
import sys

# Functions of lib/crypt, lib/object and client/ that open, seal, wrap or derive keys.
OPENS = ("wrap", "hpke", "seal", "session", "kdf", "gcm", "bulk", "recovery", "head", "commit", "node", "cursor",
         "index", "segment", "prp", "lease", "filler")
OURS = re.compile(r"\b[tT] ((?:" + "|".join(OPENS) + r")_\w+)$", re.M)
# Of libraries: every way to decrypt or to agree on a key.  (scalarmult_base only makes a public key of a private one.)
THEIRS = re.compile(r"\bU ((?:crypto_(?:aead|box|secretbox|secretstream|stream|kx|scalarmult(?!_base)|pwhash|kdf|generichash)\w*"
                    r"|EVP_(?:Decrypt|Encrypt|Cipher|aes|PKEY|KDF)\w*|IMB_\w+|init_mb_mgr\w*))")


def found(program):
    out = subprocess.run(["nm", program], capture_output=True, text=True, check=True).stdout
    return {m[1] for m in OURS.finditer(out)}, {m[1] for m in THEIRS.finditer(out)}


depot, client = sys.argv[1:3]
ours, theirs = found(depot)
bad = sorted(ours | theirs)
if bad:
    print(f"{depot} has", *bad)
ours, theirs = found(client)
lost = [p for p in ("hpke", "seal", "session", "kdf", "bulk", "head", "commit") if
        not any(name.startswith(p + "_") for name in ours)]
if lost:
    print("the client has none of:", *lost)
if not any(name.startswith("EVP_") for name in theirs):
    print("the client asks for no cipher")
    lost.append("EVP")
print(f"symbols: the client has {len(ours)} and asks for {len(theirs)}, the depot for none" if not bad else "")
sys.exit(bool(bad or lost))
