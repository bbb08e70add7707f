"""Bank statements: each line once, however the files overlap; whatever the text, it is read or refused."""

import contextlib
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from appeal.core import bank_statements, clock
from appeal.office import post_import
from tests.making import open_appeal
from tests.making_post import ANNA


def test_a_statement_nobody_finished_is_thrown_away_after_thirty_days(session) -> None:
    appeal = open_appeal()
    post_import.hand_in(appeal, "november.csv", b"Date,Amount\n2026-11-20,5.00\n", ANNA)
    assert post_import.forget_old() == 0
    with clock.travel(clock.now() + timedelta(days=31)):
        assert post_import.forget_old() == 1


def test_lines_that_say_the_same_are_apart_in_one_file_and_known_again_in_the_next() -> None:
    twice = "Date,Amount,Name\n2026-11-20,5.00,Ada\n2026-11-20,5.00,Ada\n"
    longer = "Date,Amount,Name\n2026-11-19,7.00,Ben\n2026-11-20,5.00,Ada\n2026-11-20,5.00,Ada\n"

    def references(content: str) -> list[str]:
        table = bank_statements.sheet(content)
        columns = bank_statements.guessed_columns(table.headings)
        return [one.reference for one in bank_statements.read_csv(table, columns, "gbp", "en_GB").credits]

    first = references(twice)
    assert len(set(first)) == 2
    assert references(longer)[1:] == first


def test_a_reference_that_payers_write_themselves_names_no_line() -> None:
    content = "Date,Amount,Name,Reference\n2026-11-20,5.00,Ada,GIFT\n2026-11-21,6.00,Ben,GIFT\n"
    table = bank_statements.sheet(content)
    columns = bank_statements.guessed_columns(table.headings)
    found = bank_statements.read_csv(table, columns, "gbp", "en_GB").credits
    assert len({one.reference for one in found} | {"GIFT"}) == 3


@given(content=st.text(max_size=300))
def test_any_text_is_read_or_refused_and_never_breaks(content: str) -> None:
    with contextlib.suppress(bank_statements.StatementUnreadable):
        table = bank_statements.sheet(content)
        columns = bank_statements.guessed_columns(table.headings)
        bank_statements.read_csv(table, columns, "gbp", "en_GB")
    with contextlib.suppress(bank_statements.StatementUnreadable):
        bank_statements.read_camt(content, "gbp")
