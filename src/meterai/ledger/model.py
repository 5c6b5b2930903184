"""Accounts, transfers, and the decision what a batch of transfers does. Pure: no I/O, no clock."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, IntEnum
from uuid import UUID

import msgspec

AMOUNT_MAX = 2**53
"""No single transfer moves more: sums of many stay far inside a 64-bit integer."""


class Ledger(IntEnum):
    """What is counted; both accounts of a transfer count the same."""

    RUPIAH = 1
    UNITS = 2


class Limit(IntEnum):
    """Which balance of an account may not go negative."""

    NONE = 0
    """No limit: the outside world, such as the issuer or a payment provider."""
    DEBITS_MUST_NOT_EXCEED_CREDITS = 1
    """Credit-normal: what is held here can be taken at most once."""
    CREDITS_MUST_NOT_EXCEED_DEBITS = 2
    """Debit-normal."""


class Kind(Enum):
    """How a transfer acts on the balances."""

    SINGLE = "S"
    """Moves the amount at once."""
    PENDING = "P"
    """Sets the amount aside on both sides."""
    POSTED = "C"
    """Ends a pending transfer: the amount has moved."""
    VOIDED = "V"
    """Ends a pending transfer: the amount is free again."""
    EXPIRED = "X"
    """As voided, because its time ran out."""

    @property
    def ends(self) -> bool:
        """Whether this kind ends a pending transfer."""
        return self in _ENDS


_ENDS = frozenset({Kind.POSTED, Kind.VOIDED, Kind.EXPIRED})


class Transfer(msgspec.Struct, frozen=True, gc=False):
    """One movement. ``id`` is minted by the caller and makes a repetition harmless.

    For the kinds that end a pending transfer, debit, credit and amount may be left 0: they are those of
    the pending one. ``ref`` names the happening (an order, an affixing); ``code`` says why.
    """

    id: UUID
    kind: Kind
    code: int
    debit: int
    credit: int
    amount: int
    pending_id: UUID | None = None
    ref: UUID | None = None


def single(
    id: UUID, *, code: int, debit: int, credit: int, amount: int, ref: UUID | None = None
) -> Transfer:
    """Moves ``amount`` at once."""
    return Transfer(id, Kind.SINGLE, code, debit, credit, amount, None, ref)


def pending(
    id: UUID, *, code: int, debit: int, credit: int, amount: int, ref: UUID | None = None
) -> Transfer:
    """Sets ``amount`` aside until it is posted, voided or expired."""
    return Transfer(id, Kind.PENDING, code, debit, credit, amount, None, ref)


def ending(id: UUID, kind: Kind, *, pending_id: UUID, code: int, ref: UUID | None) -> Transfer:
    """Ends a pending transfer: posted, voided or expired."""
    return Transfer(id, kind, code, 0, 0, 0, pending_id, ref)


class Outcome(Enum):
    """What became of a transfer; a closed list."""

    CREATED = "created"
    EXISTS = "exists"
    """The very same transfer was written before: the answer to a repetition."""
    EXISTS_WITH_OTHER_FIELDS = "exists_with_other_fields"
    EXCEEDS_CREDITS = "exceeds_credits"
    """The debit account holds less than that."""
    EXCEEDS_DEBITS = "exceeds_debits"
    """The credit account may not be credited that far."""
    ACCOUNT_NOT_FOUND = "account_not_found"
    ACCOUNTS_MUST_DIFFER = "accounts_must_differ"
    LEDGERS_MUST_MATCH = "ledgers_must_match"
    AMOUNT_OUT_OF_RANGE = "amount_out_of_range"
    PENDING_NOT_FOUND = "pending_not_found"
    ALREADY_POSTED = "already_posted"
    ALREADY_VOIDED = "already_voided"
    ALREADY_EXPIRED = "already_expired"
    LINKED_FAILED = "linked_failed"
    """Another transfer of the same group was declined, so this one was not written either."""

    @property
    def good(self) -> bool:
        """Whether the transfer is now in the books."""
        return self in _GOOD


_GOOD = frozenset({Outcome.CREATED, Outcome.EXISTS})
_ALREADY = {
    Kind.POSTED: Outcome.ALREADY_POSTED,
    Kind.VOIDED: Outcome.ALREADY_VOIDED,
    Kind.EXPIRED: Outcome.ALREADY_EXPIRED,
}


@dataclass(slots=True)
class Balance:
    """The state of one account while a batch is decided."""

    ledger: int
    limit: int
    debits_pending: int
    debits_posted: int
    credits_pending: int
    credits_posted: int

    @property
    def free(self) -> int:
        """What a credit-normal account can still give."""
        return self.credits_posted - self.debits_posted - self.debits_pending


@dataclass(frozen=True, slots=True)
class Decision:
    """What a batch does: an outcome for each transfer, group by group, and what must be written."""

    outcomes: list[list[Outcome]]
    written: list[Transfer]


class Books:
    """The part of the books that a batch touches; :meth:`decide` moves the balances in place.

    ``known`` holds transfers already written, by id; ``ended`` those that ended a pending one, by the id
    of the pending one.
    """

    def __init__(
        self,
        balances: Mapping[int, Balance],
        known: Mapping[UUID, Transfer],
        ended: Mapping[UUID, Transfer],
    ) -> None:
        self.balances = balances
        self._known = dict(known)
        self._ended = dict(ended)
        self.touched: set[int] = set()

    def decide(self, groups: Iterable[Sequence[Transfer]]) -> Decision:
        """Groups are admitted in order of arrival; each is written whole or not at all."""
        outcomes: list[list[Outcome]] = []
        written: list[Transfer] = []
        for group in groups:
            done: list[Transfer] = []
            said: list[Outcome] = []
            for transfer in group:
                outcome = self._admit(transfer, done)
                said.append(outcome)
                if outcome not in _GOOD:
                    self._take_back(done)
                    said = [Outcome.LINKED_FAILED] * len(group)
                    said[group.index(transfer)] = outcome
                    done = []
                    break
            outcomes.append(said)
            written += done
        return Decision(outcomes, written)

    def _admit(self, transfer: Transfer, done: list[Transfer]) -> Outcome:
        before = self._known.get(transfer.id)
        if before is not None:
            return _compared(transfer, before)
        if transfer.kind in _ENDS:
            return self._end(transfer, done)
        debit, credit = transfer.debit, transfer.credit
        if debit == credit:
            return Outcome.ACCOUNTS_MUST_DIFFER
        amount = transfer.amount
        if not 0 < amount <= AMOUNT_MAX:
            return Outcome.AMOUNT_OUT_OF_RANGE
        giver, taker = self.balances.get(debit), self.balances.get(credit)
        if giver is None or taker is None:
            return Outcome.ACCOUNT_NOT_FOUND
        if giver.ledger != taker.ledger:
            return Outcome.LEDGERS_MUST_MATCH
        if (
            giver.limit == Limit.DEBITS_MUST_NOT_EXCEED_CREDITS
            and giver.debits_pending + giver.debits_posted + amount > giver.credits_posted
        ):
            return Outcome.EXCEEDS_CREDITS
        if (
            taker.limit == Limit.CREDITS_MUST_NOT_EXCEED_DEBITS
            and taker.credits_pending + taker.credits_posted + amount > taker.debits_posted
        ):
            return Outcome.EXCEEDS_DEBITS
        self._write(transfer, done)
        return Outcome.CREATED

    def _end(self, transfer: Transfer, done: list[Transfer]) -> Outcome:
        assert transfer.pending_id is not None
        held = self._known.get(transfer.pending_id)
        if held is None or held.kind is not Kind.PENDING:
            return Outcome.PENDING_NOT_FOUND
        ended = self._ended.get(transfer.pending_id)
        if ended is not None:
            return _ALREADY[ended.kind]
        self._write(
            msgspec.structs.replace(
                transfer, debit=held.debit, credit=held.credit, amount=held.amount
            ),
            done,
        )
        return Outcome.CREATED

    def _write(self, transfer: Transfer, done: list[Transfer]) -> None:
        self._known[transfer.id] = transfer
        if transfer.pending_id is not None:
            self._ended[transfer.pending_id] = transfer
        self._move(transfer, 1)
        self.touched.add(transfer.debit)
        self.touched.add(transfer.credit)
        done.append(transfer)

    def _move(self, transfer: Transfer, sign: int) -> None:
        amount = sign * transfer.amount
        giver, taker = self.balances[transfer.debit], self.balances[transfer.credit]
        kind = transfer.kind
        if kind is Kind.SINGLE:
            giver.debits_posted += amount
            taker.credits_posted += amount
        elif kind is Kind.PENDING:
            giver.debits_pending += amount
            taker.credits_pending += amount
        else:
            giver.debits_pending -= amount
            taker.credits_pending -= amount
            if kind is Kind.POSTED:
                giver.debits_posted += amount
                taker.credits_posted += amount

    def _take_back(self, done: list[Transfer]) -> None:
        for transfer in reversed(done):
            self._move(transfer, -1)
            del self._known[transfer.id]
            if transfer.pending_id is not None:
                del self._ended[transfer.pending_id]


def _compared(transfer: Transfer, before: Transfer) -> Outcome:
    """A repetition is the same in every field; an ending may leave the fields of its hold out."""
    same = transfer == before or (
        transfer.kind in _ENDS
        and transfer.amount == 0
        and msgspec.structs.replace(before, debit=0, credit=0, amount=0) == transfer
    )
    return Outcome.EXISTS if same else Outcome.EXISTS_WITH_OTHER_FIELDS


def reverse(transfer: Transfer, id: UUID, *, code: int, ref: UUID | None = None) -> Transfer:
    """The movement that undoes a single or posted one; the first stays in the books for ever."""
    return single(
        id,
        code=code,
        debit=transfer.credit,
        credit=transfer.debit,
        amount=transfer.amount,
        ref=ref if ref is not None else transfer.ref,
    )
