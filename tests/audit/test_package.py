import csv
import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from meterai.audit.errors import NotAPackage
from meterai.audit.model import Invariant, Report
from meterai.audit.package import STATEMENT, write_package
from meterai.audit.recomputation import recompute
from meterai.clock import now
from meterai.db.connection import Database
from meterai.errors import MeteraiError
from meterai.ids import new_id
from meterai.proving.pki import make_pki
from meterai.refund.asking import ask, claim_unplaced
from meterai.sale.matching import match
from meterai.signing.statement import StatementKey, verify
from world import pki
from world.trade import add_buyer, open_channel, payment_for, place_order, report


@pytest.fixture
def key() -> StatementKey:
    return StatementKey.load(pki.keys_folder())


@pytest.fixture
async def package(database: Database, key: StatementKey, tmp_path: Path) -> Path:
    """Two paid orders, one of them partly refunded; one payment without an order."""
    async with database.transaction() as connection:
        await open_channel(connection)
        buyer = await add_buyer(connection)
        for _ in range(2):
            order = await place_order(connection, buyer, 3)
            for number in (None, "TWICE") if _ else (None,):
                notice = await report(connection, payment_for(order, number=number))
                await match(connection, notice.id)
        await ask(connection, new_id(), order.id, buyer.id, units=1, now=now())
        await claim_unplaced(connection, now())
    file = tmp_path / "paket.zip"
    await write_package(database, key, file, now())
    return file


def computed(file: Path, key: StatementKey) -> Report:
    def read(statement: str) -> tuple[str, dict[str, object]]:
        said = verify(statement, key.public_keys())
        return said.kind, dict(said.facts)

    return recompute(file, read)


def tampered(file: Path, name: str, change: Callable[[list[dict[str, str]]], object]) -> Path:
    """A copy in which one table says something else; everything else is as it was signed."""
    out = file.with_name("tampered.zip")
    with zipfile.ZipFile(file) as old, zipfile.ZipFile(out, "w") as new:
        for part in old.namelist():
            content = old.read(part)
            if part == name:
                rows = list(csv.DictReader(io.StringIO(content.decode(), newline="")))
                change(rows)
                text = io.StringIO(newline="")
                writer = csv.DictWriter(text, list(rows[0]))
                writer.writeheader()
                writer.writerows(rows)
                content = text.getvalue().encode()
            new.writestr(part, content)
    return out


async def test_a_true_package_is_clean_and_everything_was_looked_at(
    package: Path, key: StatementKey
) -> None:
    found = computed(package, key)
    assert found.discrepancies == []
    assert found.counted["orders"] == 2
    assert found.counted["payments"] == 3
    assert found.counted["refunds"] == 2
    assert found.counted["transfers"] > 8


@pytest.mark.parametrize(
    ("name", "column", "says"),
    [
        ("order.csv", "units", "(-1)"),
        ("payment.csv", "amount", "payments say Rp31501"),
        ("account.csv", "credits_posted", "+1"),
        ("refund.csv", "amount", "the books hold Rp"),
    ],
)
async def test_a_planted_difference_of_one_is_found_and_named(
    package: Path, key: StatementKey, name: str, column: str, says: str
) -> None:
    def one_more(rows: list[dict[str, str]]) -> None:
        row = next(r for r in rows if r.get("state", "") not in ("unplaced", "refunded"))
        row[column] = str(int(row[column]) + 1)

    found = computed(tampered(package, name, one_more), key)
    assert any(says in d.detail for d in found.discrepancies), found.discrepancies
    assert (Invariant.PROMISES, name) in {(d.invariant, d.about) for d in found.discrepancies}


async def test_a_transfer_that_was_changed_breaks_the_chain(
    package: Path, key: StatementKey
) -> None:
    def larger(rows: list[dict[str, str]]) -> None:
        rows[-1]["amount"] = str(int(rows[-1]["amount"]) + 1)

    found = computed(tampered(package, "transfer.csv", larger), key)
    assert any("digest does not fit" in d.detail for d in found.discrepancies)
    assert any("not the sum of its transfers" in d.detail for d in found.discrepancies)


async def test_a_package_of_somebody_else_is_not_believed(package: Path, tmp_path: Path) -> None:
    make_pki(tmp_path / "others")
    found = computed(package, StatementKey.load(tmp_path / "others"))
    assert [d.about for d in found.discrepancies] == [STATEMENT]


async def test_it_carries_nobodys_name_number_or_code(package: Path) -> None:
    with zipfile.ZipFile(package) as opened:
        heads = {n: opened.read(n).split(b"\n")[0].decode() for n in opened.namelist()}
    columns = {column for head in heads.values() for column in head.split(",")}
    assert not columns & {"name", "phone", "phone_index", "buyer", "code_index"}
    assert "code" not in heads["voucher.csv"].split(",")


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 not really", b"%PDF-1.7"])
def test_what_is_no_package_is_said_so(content: bytes, key: StatementKey, tmp_path: Path) -> None:
    file = tmp_path / "odd.zip"
    file.write_bytes(content)
    with pytest.raises(NotAPackage):
        computed(file, key)
    assert issubclass(NotAPackage, MeteraiError)
