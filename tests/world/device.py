"""A key device of one's own: a SoftHSM token whose key is born in it."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, load_der_public_key

from meterai.proving.pki import SEAL, issue, read_issued
from meterai.signing.keys import PrivateKey, PublicKey

MODULES = ("/usr/lib/softhsm/libsofthsm2.so", "/usr/lib64/pkcs11/libsofthsm2.so")
MODULE = next((Path(name) for name in MODULES if Path(name).exists()), None)
MISSING = MODULE is None or shutil.which("softhsm2-util") is None
PIN = "112233"

_BEGIN = """
import json, sys, pkcs11
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicNumbers
module, token, pin, label = sys.argv[1:]
session = pkcs11.lib(module).get_token(token_label=token).open(rw=True, user_pin=pin)
def public_of(key):
    n = int.from_bytes(key[pkcs11.Attribute.MODULUS], "big")
    e = int.from_bytes(key[pkcs11.Attribute.PUBLIC_EXPONENT], "big")
    key = RSAPublicNumbers(e, n).public_key()
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo).hex()
"""
_MAKE = (
    _BEGIN
    + """
public, _ = session.generate_keypair(pkcs11.KeyType.RSA, 2048, store=True, label=label)
print(json.dumps(public_of(public)))
"""
)
_ASK = (
    _BEGIN
    + """
key = session.get_key(object_class=pkcs11.ObjectClass.PRIVATE_KEY, label=label)
told = {"public": public_of(key)}
for name in ("LOCAL", "SENSITIVE", "ALWAYS_SENSITIVE", "EXTRACTABLE", "NEVER_EXTRACTABLE"):
    told[name] = bool(key[pkcs11.Attribute[name]])
try:
    key[pkcs11.Attribute.PRIVATE_EXPONENT]
    told["given_out"] = True
except pkcs11.AttributeSensitive:
    told["given_out"] = False
print(json.dumps(told))
"""
)


@dataclass(frozen=True, slots=True)
class Token:
    """A token with its own configuration; spoken to only by other processes than this one.

    SoftHSM reads its configuration once in a process: a test with a token of its own never loads it.
    """

    config: Path
    label: str

    @classmethod
    def make(cls, folder: Path, label: str = "meterai") -> "Token":
        """A token called ``label`` with nothing in it."""
        (folder / "tokens").mkdir(parents=True)
        config = folder / "softhsm2.conf"
        config.write_text(f"directories.tokendir = {folder / 'tokens'}\nlog.level = ERROR\n")
        token = cls(config, label)
        subprocess.run(
            [
                *("softhsm2-util", "--init-token", "--free", "--label", label),
                *("--pin", PIN, "--so-pin", "998877"),
            ],
            check=True,
            capture_output=True,
            env=token._environment(),
        )
        return token

    def make_key(self, label: str) -> PublicKey:
        """A key pair was born in the token; its public half."""
        public = load_der_public_key(bytes.fromhex(str(self._run(_MAKE, label))))
        assert isinstance(public, rsa.RSAPublicKey)
        return public

    def ask_about(self, label: str) -> dict[str, object]:
        """What the token says of its private key, and whether it gave the exponent out when asked."""
        return cast("dict[str, object]", self._run(_ASK, label))

    def _run(self, script: str, label: str) -> object:
        arguments = [sys.executable, "-c", script, str(MODULE), self.label, PIN, label]
        done = subprocess.run(
            arguments, check=True, capture_output=True, text=True, env=self._environment()
        )
        return json.loads(done.stdout)

    def _environment(self) -> dict[str, str]:
        return os.environ | {"SOFTHSM2_CONF": str(self.config)}  # noqa: TID251 - SoftHSM is told so


@dataclass(frozen=True, slots=True)
class _Elsewhere:
    """A private key that is not here: only its public half is known."""

    public: PublicKey

    def public_key(self) -> PublicKey:
        return self.public


def chain_for(public: PublicKey, folder: Path) -> bytes:
    """A sealing certificate for this key and those above it, by the authorities in ``folder``."""
    issuing = read_issued(folder / "issuing.key", folder / "issuing.pem")
    leaf = issue(SEAL, issuing, key=cast("PrivateKey", _Elsewhere(public))).certificate
    above = (folder / "issuing.pem").read_bytes() + (folder / "root.pem").read_bytes()
    return leaf.public_bytes(Encoding.PEM) + above
