from meterai.signing.report import CheckName, Reason
from meterai.verification.model import WORDS, Verdict
from meterai.verification.reasons import CHECKS, SENTENCES


def test_every_reason_and_check_of_cryptography_has_its_words() -> None:
    assert {reason.value for reason in Reason} <= set(SENTENCES)
    assert {check.value for check in CheckName} == set(CHECKS)


def test_the_verdicts_are_the_eight_of_the_house_and_each_has_its_word() -> None:
    assert {v.value for v in Verdict} == {
        "genuine",
        "genuine_offline",
        "altered",
        "reused",
        "void",
        "not_a_stamp",
        "needs_review",
        "unreadable",
    }
    assert set(WORDS) == set(Verdict)
