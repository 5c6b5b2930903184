import stat
import subprocess
from datetime import timedelta
from pathlib import Path

from cryptography import x509

from meterai.clock import now
from meterai.proving.pki import make_pki, revoke
from meterai.signing.keys import FileKey


def contents(folder: Path) -> dict[str, bytes]:
    return {str(file): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def test_making_it_twice_changes_nothing(tmp_path: Path) -> None:
    make_pki(tmp_path)
    before = contents(tmp_path)
    make_pki(tmp_path)
    assert contents(tmp_path) == before


def test_only_the_owner_can_read_it_and_the_trust_folder_holds_no_secret(tmp_path: Path) -> None:
    make_pki(tmp_path)
    for file in tmp_path.rglob("*"):
        if file.is_file():
            assert stat.S_IMODE(file.stat().st_mode) == 0o600
    for name, content in contents(tmp_path / "trust").items():
        assert b"PRIVATE" not in content, name


def test_the_chains_hold_for_openssl_with_revocation(tmp_path: Path) -> None:
    make_pki(tmp_path)
    lists = tmp_path / "lists.pem"
    lists.write_bytes(b"".join(f.read_bytes() for f in (tmp_path / "trust").glob("*.crl")))

    def verify() -> int:
        command = ["openssl", "verify", "-crl_check_all", "-x509_strict", "-CRLfile", lists,
                   "-CAfile", tmp_path / "trust/roots.pem",
                   "-untrusted", tmp_path / "trust/issuers.pem",
                   tmp_path / "trust/seals.pem"]  # fmt: skip
        return subprocess.run(
            [str(word) for word in command], check=False, capture_output=True
        ).returncode

    assert verify() == 0
    seal = FileKey.load(tmp_path / "seal.key", tmp_path / "seal-chain.pem").chain[0]
    revoke(tmp_path, seal, x509.ReasonFlags.key_compromise, now() - timedelta(minutes=1))
    lists.write_bytes(b"".join(f.read_bytes() for f in (tmp_path / "trust").glob("*.crl")))
    assert verify() != 0
