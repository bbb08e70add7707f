"""The tools of the benchmarks: ratios of the same round, medians, spread, verdicts, rows put in the place of old ones."""

import subprocess
import sys

import pytest

from benchmarks.__main__ import key, merged
from benchmarks.machine import Quiet, cpu_seconds, judged, pinned
from benchmarks.rounds import Contender, Round, alternate, concluded, ratio


def contender(*costs: float, **values: int) -> Contender:
    return Contender("app", [Round(rate=1e6 / cost, cpu_us=cost, **values) for cost in costs])


def test_contenders_take_turns_and_the_first_of_a_round_is_not_always_the_same() -> None:
    asked: list[str] = []

    def measure(name: str) -> Round:
        asked.append(name)
        return Round(1, 1)

    alternate({"a": lambda: measure("a"), "b": lambda: measure("b")}, 3)
    assert "".join(asked) == "abbaab"


def test_a_ratio_is_the_median_of_the_rounds_own_ratios_so_that_a_drift_meets_both() -> None:
    slower_and_slower = contender(10, 20, 90), contender(20, 40, 180)
    assert ratio(*reversed(slower_and_slower), "cpu_us") == 2


def test_one_wild_round_moves_neither_the_median_nor_the_spread() -> None:
    steady, wild = contender(49, 50, 50, 50, 51), contender(49, 50, 50, 51, 110_000)
    assert wild.mid("cpu_us") == steady.mid("cpu_us") == 50
    assert wild.spread("cpu_us") < 0.05


def test_wrong_answers_refute_and_a_round_without_answers_concludes_nothing() -> None:
    assert concluded(True, contender(1, 1)) == (True, "")
    assert concluded(True, contender(1, bad=1))[0] is False
    verdict, note = concluded(True, contender(1), contender(1, 1, answers=3))
    assert verdict is None
    assert "fewer than" in note


def test_one_look_at_a_busy_machine_does_not_make_a_run_noisy_but_half_of_them_do() -> None:
    calm, busy = Quiet(0.05, 0.5), Quiet(3.0, 1.5)
    assert judged([calm, busy, calm]).enough
    assert not judged([calm, busy, busy]).enough
    assert not judged([calm, Quiet(0.05, 30.0)]).enough  # evenly overloaded


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("figure JSON, 200, 559 bytes", "figure JSON, 200, 12,558 bytes"),
        ("appeal page, 15,652 bytes", "appeal page, 15,556 bytes"),
        ("export of 20,000 rows, sqlite", "export of 1,000,000 rows, sqlite"),
        ("storm of 400 events to settled books, sqlite", "storm of 10,000 events to settled books, sqlite"),
        (
            "dashboard, 1,000 against 20,000 donations, sqlite",
            "dashboard, 1,000 against 1,000,000 donations, sqlite",
        ),
    ],
)
def test_a_row_measured_anew_is_known_again_whatever_its_size(one: str, other: str) -> None:
    assert key(f"| {one} | x |") == key(f"| {other} | x |")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("appeal page, 15,652 bytes", "appeal page from a banner, 15,679 bytes"),
        ("figure JSON, 200, 559 bytes", "figure JSON, 304 (the bare route sends 200)"),
        ("two processes, figure, sqlite", "two processes, figure, postgresql"),
        (
            "webhook accepted and applied, sqlite, 1 connections",
            "webhook accepted and applied, sqlite, 16 connections",
        ),
        ("export of 20,000 rows, sqlite", "export of 20,000 rows, postgresql"),
        ("export, first byte, 1,000 against 20,000 donations, sqlite", "export of 20,000 rows, sqlite"),
    ],
)
def test_different_rows_keep_apart(one: str, other: str) -> None:
    assert key(f"| {one} | x |") != key(f"| {other} | x |")


def test_rows_measured_anew_take_the_old_ones_place_and_new_ones_go_to_the_end_of_the_table() -> None:
    table = "| what | figures |\n|---|---|\n"
    old = f"# Results\n\nWritten by then.\n\n{table}| a, 10 bytes | old |\n| b | old |\n"
    new = f"# Results\n\nWritten by now.\n\n{table}| a, 20 bytes | new |\n| c | new |\n"
    lines = merged(old, new).splitlines()
    assert lines[2] == "Written by then."
    assert lines[6:9] == ["| a, 20 bytes | new |", "| b | old |", "| c | new |"]
    assert lines[-1] == "Measured anew since: a, c. Written by now."
    later = merged(merged(old, new), new + "| d | new |\n").splitlines()
    assert later[6:10] == ["| a, 20 bytes | new |", "| b | old |", "| c | new |", "| d | new |"]


def test_processor_time_is_read_finer_than_a_tick() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        spent = cpu_seconds(child.pid)
        child.communicate(b"\n")
    assert 0 <= spent < 60
    assert cpu_seconds(child.pid) == 0


def test_a_command_is_bound_to_the_cores_that_are_named() -> None:
    command = pinned(["true"], (0, 1))
    assert command in (["true"], ["taskset", "-c", "0,1", "true"])
