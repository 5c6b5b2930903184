"""An auditor's package computed anew: nothing is believed that can be worked out from the transfers.

Needs neither database nor installation. Chain, balances, limits, units of the nation, orders, payments, refunds
and vouchers: each difference is listed with its units and rupiah.
"""

import csv
import hashlib
import io
import json
import zipfile
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import groupby
from pathlib import Path
from uuid import UUID

from meterai.audit.errors import NotAPackage
from meterai.audit.model import Invariant, Report
from meterai.audit.package import MANIFEST, PACKAGE, STATEMENT, TABLES
from meterai.audit.reconciler import StatementReader
from meterai.errors import MeteraiError
from meterai.ledger import chain
from meterai.ledger.model import Kind, Ledger, Limit, Transfer
from meterai.payment.model import MoneyMove
from meterai.quota.model import UnitAccount, UnitMove

Row = dict[str, str]
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MOVES = (Kind.SINGLE, Kind.POSTED)


@dataclass(slots=True)
class _Account:
    ledger: int
    code: int
    scope: str
    flags: int
    said: tuple[int, int, int, int]
    """Debits pending and posted, credits pending and posted, as the package says."""
    found: list[int] = field(default_factory=lambda: [0, 0, 0, 0])
    """The same, worked out."""

    @property
    def holds(self) -> int:
        return self.found[3] - self.found[1]


@dataclass(slots=True)
class _Moved:
    """What the transfers about each happening moved."""

    units: Counter[str] = field(default_factory=Counter)
    """Into what somebody may use."""
    rupiah: Counter[str] = field(default_factory=Counter)
    """Duty and fee of an order."""
    unplaced: Counter[str] = field(default_factory=Counter)
    back: Counter[str] = field(default_factory=Counter)
    """Rupiah held or paid for a refund."""
    vouchers: Counter[str] = field(default_factory=Counter)
    """Units standing in each voucher."""


def recompute(file: Path, read: StatementReader) -> Report:
    """What the package contradicts; ``counted`` says how much was looked at.

    Raises :class:`NotAPackage`.
    """
    report = Report()
    try:
        with zipfile.ZipFile(file) as package:
            _check_signature(package, read, report)
            accounts = {int(row["id"]): _account(row) for row in _rows(package, "account.csv")}
            moved = _follow_journal(package, accounts, report)
            _check_accounts(accounts, report)
            _check_units(accounts, report)
            _check_papers(package, moved, report)
            _check_vouchers(package, accounts, moved, report)
    except (zipfile.BadZipFile, KeyError, ValueError, OSError, csv.Error) as error:
        raise NotAPackage from error
    return report


def _rows(package: zipfile.ZipFile, name: str) -> Iterator[Row]:
    with package.open(name) as raw, io.TextIOWrapper(raw, "utf-8", newline="") as text:
        yield from csv.DictReader(text, strict=True)


def _check_signature(package: zipfile.ZipFile, read: StatementReader, report: Report) -> None:
    manifest = package.read(MANIFEST)
    try:
        kind, facts = read(package.read(STATEMENT).decode())
    except MeteraiError as error:
        report.add(Invariant.PROMISES, STATEMENT, f"its signature is not valid: {error}")
    else:
        if kind != PACKAGE or facts.get("manifest_sha256") != hashlib.sha256(manifest).hexdigest():
            report.add(Invariant.PROMISES, STATEMENT, "speaks of another manifest")
    said = json.loads(manifest)["sha256"]
    for name in TABLES:
        with package.open(name) as stream:
            if hashlib.file_digest(stream, "sha256").hexdigest() != said.get(name):  # type: ignore[arg-type]  # a ZIP member reads as a file
                report.add(Invariant.PROMISES, name, "is not the file that was signed")


def _account(row: Row) -> _Account:
    return _Account(
        int(row["ledger"]),
        int(row["code"]),
        row["scope"],
        int(row["flags"]),
        (
            int(row["debits_pending"]),
            int(row["debits_posted"]),
            int(row["credits_pending"]),
            int(row["credits_posted"]),
        ),
    )


def _transfer(row: Row) -> Transfer:
    return Transfer(
        UUID(row["id"]),
        Kind(row["kind"]),
        int(row["code"]),
        int(row["debit"]),
        int(row["credit"]),
        int(row["amount"]),
        UUID(row["pending_id"]) if row["pending_id"] else None,
        UUID(row["ref"]) if row["ref"] else None,
    )


def _follow_journal(
    package: zipfile.ZipFile, accounts: dict[int, _Account], report: Report
) -> _Moved:
    moved, previous, seq = _Moved(), chain.GENESIS, 0
    batches = groupby(_rows(package, "transfer.csv"), key=lambda row: int(row["link"]))
    batch = next(batches, None)
    pending: dict[UUID, Transfer] = {}
    for row in _rows(package, "link.csv"):
        seq += 1
        transfers: list[Transfer] = []
        if batch is not None and batch[0] == int(row["seq"]):
            transfers = [_transfer(one) for one in batch[1]]
            batch = next(batches, None)
        at = _EPOCH + timedelta(microseconds=int(row["microseconds"]))
        digest = chain.link(previous, int(row["seq"]), at, chain.body(transfers))
        if int(row["seq"]) != seq or digest.hex() != row["digest"]:
            report.add(Invariant.BOOKS, f"link {row['seq']}", "its digest does not fit")
        previous = bytes.fromhex(row["digest"])
        for transfer in transfers:
            _enter(transfer, accounts, pending, moved, report)
        report.counted["transfers"] = report.counted.get("transfers", 0) + len(transfers)
    if batch is not None:
        report.add(Invariant.BOOKS, f"link {batch[0]}", "is named by transfers and not there")
    head = json.loads(package.read(MANIFEST))["journal_head"]
    if (head["seq"], head["digest"]) != (seq, previous.hex()):
        report.add(Invariant.BOOKS, "the head of the journal", "is not the last link")
    report.counted["links"] = seq
    return moved


def _enter(
    transfer: Transfer,
    accounts: dict[int, _Account],
    pending: dict[UUID, Transfer],
    moved: _Moved,
    report: Report,
) -> None:
    giver, taker = accounts.get(transfer.debit), accounts.get(transfer.credit)
    if giver is None or taker is None or giver.ledger != taker.ledger:
        report.add(Invariant.BOOKS, f"transfer {transfer.id}", "has no two accounts of one ledger")
        return
    amount = transfer.amount
    if transfer.kind is Kind.PENDING:
        pending[transfer.id] = transfer
    if transfer.pending_id is not None:
        held = pending.pop(transfer.pending_id, None)
        if held is None or (held.debit, held.credit, held.amount) != (
            transfer.debit,
            transfer.credit,
            amount,
        ):
            report.add(Invariant.BOOKS, f"transfer {transfer.id}", "does not fit what it ends")
    waits = {Kind.PENDING: amount, Kind.SINGLE: 0}.get(transfer.kind, -amount)
    goes = amount if transfer.kind in _MOVES else 0
    for place, change in ((0, waits), (1, goes)):
        giver.found[place] += change
        taker.found[place + 2] += change
    _note(transfer, giver, taker, moved)


def _note(transfer: Transfer, giver: _Account, taker: _Account, moved: _Moved) -> None:
    ref, amount = str(transfer.ref), transfer.amount
    if giver.ledger == Ledger.RUPIAH:
        if transfer.kind is Kind.PENDING and transfer.code == MoneyMove.REFUNDED:
            moved.back[ref] += amount
        elif transfer.kind is Kind.SINGLE and transfer.code == MoneyMove.UNPLACED:
            moved.unplaced[ref] += amount
        elif transfer.kind is Kind.SINGLE and transfer.code in (
            MoneyMove.DUTY_PAID,
            MoneyMove.FEE_PAID,
        ):
            moved.rupiah[ref] += amount
        return
    if transfer.code == UnitMove.PURCHASED and transfer.kind in _MOVES:
        moved.units[ref] += amount
    elif transfer.code in (UnitMove.VOUCHED, UnitMove.REDEEMED):
        inward = taker.code == UnitAccount.VOUCHERS
        moved.vouchers[ref] += amount if inward else -amount


def _check_accounts(accounts: dict[int, _Account], report: Report) -> None:
    for id, account in accounts.items():
        what = (
            f"account {id} ({Ledger(account.ledger).name.lower()}, {account.scope or 'the nation'})"
        )
        if tuple(account.found) != account.said:
            apart = (account.said[3] - account.said[1]) - account.holds
            report.add(
                Invariant.BOOKS, what, f"balance is not the sum of its transfers: {apart:+d}"
            )
        waits, out, _, came = account.found
        if account.flags == Limit.DEBITS_MUST_NOT_EXCEED_CREDITS and waits + out > came:
            report.add(Invariant.BOOKS, what, f"is overdrawn by {waits + out - came}")
    report.counted["accounts"] = len(accounts)


def _check_units(accounts: dict[int, _Account], report: Report) -> None:
    units = [a for a in accounts.values() if a.ledger == Ledger.UNITS]
    said = {True: 0, False: 0}
    for account in units:
        said[account.code == UnitAccount.ISSUANCE] += account.said[3] - account.said[1]
    issued, held = -said[True], said[False]
    if issued != held:
        report.add(
            Invariant.UNITS, "the nation", f"issued {issued}, found {held}: {held - issued:+d}"
        )


def _check_papers(package: zipfile.ZipFile, moved: _Moved, report: Report) -> None:
    credited: dict[str, list[int]] = defaultdict(list)
    for row in _rows(package, "payment.csv"):
        amount, state = int(row["amount"]), row["state"]
        if state == "credited":
            credited[row["reference"]].append(amount)
        expected = amount if state in ("unplaced", "refunded") else 0
        booked = moved.unplaced[row["id"]]
        if booked != expected:
            about = f"payment {row['external_id']}"
            report.add(Invariant.PAYMENTS, about, f"is {state}; unplaced in the books Rp{booked:,}")
        report.counted["payments"] = report.counted.get("payments", 0) + 1
    for row in _rows(package, "order.csv"):
        paid = row["state"] == "paid"
        owed = int(row["duty"]) + int(row["service_fee"]) if paid else 0
        units = int(row["units"]) if paid else 0
        got = moved.units[row["id"]], moved.rupiah[row["id"]], sum(credited[row["reference"]])
        if got != (units, owed, owed) or len(credited[row["reference"]]) != int(paid):
            report.add(
                Invariant.PAYMENTS,
                f"order {row['reference']}",
                f"is {row['state']} over {units} units and Rp{owed}; the books moved {got[0]} units "
                f"({got[0] - units:+d}) and Rp{got[1]} ({got[1] - owed:+d}), payments say Rp{got[2]}",
            )
        report.counted["orders"] = report.counted.get("orders", 0) + 1
    for row in _rows(package, "refund.csv"):
        held = moved.back[row["id"]]
        if held != int(row["amount"]):
            about = f"refund {row['reference']}"
            report.add(
                Invariant.PAYMENTS, about, f"over Rp{row['amount']}; the books hold Rp{held}"
            )
        report.counted["refunds"] = report.counted.get("refunds", 0) + 1


def _check_vouchers(
    package: zipfile.ZipFile, accounts: dict[int, _Account], moved: _Moved, report: Report
) -> None:
    kept: Counter[tuple[str, int]] = Counter()
    for row in _rows(package, "voucher.csv"):
        units, state = int(row["units"]), row["state"]
        if state == "kept":
            kept[row["channel"], UnitAccount.BLOCKS] += units
        standing = units if state == "live" else 0
        kept[row["channel"], UnitAccount.VOUCHERS] += standing
        if moved.vouchers[row["id"]] != standing:
            report.add(
                Invariant.UNITS,
                f"voucher {row['id']}",
                f"is {state}; {moved.vouchers[row['id']]} units stand in it, not {standing}",
            )
    for account in accounts.values():
        if account.ledger == Ledger.UNITS and account.code in (
            UnitAccount.BLOCKS,
            UnitAccount.VOUCHERS,
        ):
            apart = account.holds - kept[account.scope, account.code]
            if apart:
                name = UnitAccount(account.code).name.lower()
                report.add(Invariant.UNITS, f"channel {account.scope}", f"{name}: {apart:+d} units")
