from datetime import date

import pytest

from meterai.treasury.advice import RULES, Debtor, Due, Owed, advise

TODAY = date(2026, 11, 25)


def test_a_statement_letter_falls_due_when_it_is_handed_over_and_its_receiver_owes() -> None:
    advice = advise("statement", TODAY)
    assert advice is not None
    assert (advice.owed, advice.due, advice.debtor) == (
        Owed.YES,
        Due.HANDED_OVER,
        Debtor.RECEIVER,
    )
    assert "PMK 78/2024 Pasal 4 dan 5" in advice.clauses


def test_an_agreement_falls_due_when_it_is_signed_and_each_side_owes() -> None:
    advice = advise("agreement", TODAY)
    assert advice is not None
    assert (advice.due, advice.debtor) == (Due.SIGNED, Debtor.EACH)


@pytest.mark.parametrize(
    ("amount", "owed"), [(None, Owed.PERHAPS), (5_000_000, Owed.NO), (5_000_001, Owed.YES)]
)
def test_a_money_document_owes_above_five_million_only(amount: int | None, owed: Owed) -> None:
    advice = advise("receipt", TODAY, amount=amount)
    assert advice is not None
    assert advice.owed is owed
    assert (advice.due is None) == (owed is Owed.NO)


def test_the_day_of_the_document_decides_which_regulation_holds() -> None:
    before, after = (
        advise("statement", date(2024, 10, 31)),
        advise("statement", date(2024, 11, 1)),
    )
    assert before is not None
    assert after is not None
    assert (before.valid_from, after.valid_from) == (date(2021, 1, 1), date(2024, 11, 1))
    assert before.clauses[-1] == "UU 10/2020 Pasal 8 dan 9"
    assert advise("statement", date(2020, 12, 31)) is None


def test_a_document_from_abroad_falls_due_when_it_is_used_here() -> None:
    advice = advise("agreement", TODAY, from_abroad=True)
    assert advice is not None
    assert (advice.due, advice.debtor) == (Due.USED_HERE, Debtor.BENEFITS)


def test_what_no_rule_names_is_not_guessed() -> None:
    advice = advise("other", TODAY)
    assert advice is not None
    assert (advice.owed, advice.due) == (Owed.PERHAPS, None)


def test_every_rule_has_its_clause() -> None:
    assert all(rule.clause for rule in RULES)
