"""The figures of an appeal, their bounds, and the words under the bar."""

import json
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appeal.core import progress
from appeal.core.money import plain

LONDON = ZoneInfo("Europe/London")
ZONES = [
    ZoneInfo(name)
    for name in ("Europe/London", "America/New_York", "Pacific/Apia", "Australia/Lord_Howe", "UTC")
]
OPENS = datetime(2026, 12, 1, tzinfo=UTC)
CLOSES = datetime(2026, 12, 25, tzinfo=UTC)
fast = settings(deadline=None)
raised = st.integers(-(10**9), 10**13)
goals = st.integers(1, 10**12)
zones = st.sampled_from(ZONES)
instants = st.datetimes(datetime(2020, 1, 1), datetime(2035, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


def where(now, **changes):
    values = {
        "opens_at": OPENS,
        "closes_at": CLOSES,
        "raised_minor": 0,
        "goal_minor": 9_500_000,
        "closed": False,
    }
    return progress.state(now=now, **values | changes)


# --- Percent


@given(raised, goals)
@fast
def test_percent_is_rounded_down_to_a_tenth(raised_minor, goal_minor):
    tenths = progress.percent_tenths(raised_minor, goal_minor)
    assert tenths * goal_minor <= max(0, raised_minor) * 1000 < (tenths + 1) * goal_minor


@pytest.mark.parametrize(
    ("raised_minor", "tenths"),
    [(6_123_450, 644), (9_499_999, 999), (9_500_000, 1000), (19_000_000, 2000), (-1, 0), (0, 0)],
)
def test_percent_may_pass_a_hundred_and_never_falls_below_nought(raised_minor, tenths):
    assert progress.percent_tenths(raised_minor, 9_500_000) == tenths


@pytest.mark.parametrize("goal_minor", [None, 0, -1])
def test_there_is_no_percent_without_a_goal(goal_minor):
    assert progress.percent_tenths(100, goal_minor) is None


@pytest.mark.parametrize(
    ("tenths", "text"), [(644, "64.4"), (640, "64"), (0, "0"), (1, "0.1"), (1067, "106.7"), (None, "null")]
)
def test_json_shows_percent_with_at_most_one_decimal(tenths, text):
    assert json.dumps(progress.percent_json(tenths)) == text


@given(st.integers(0, 10**12))
@fast
def test_json_shows_exactly_the_tenths(tenths):
    assert json.dumps(progress.percent_json(tenths)) == progress.percent_text(tenths)


# --- State


@pytest.mark.parametrize(
    ("now", "state"),
    [
        (OPENS - timedelta(microseconds=1), "upcoming"),
        (OPENS, "running"),
        (CLOSES - timedelta(hours=72, microseconds=1), "running"),
        (CLOSES - timedelta(hours=72), "last_days"),
        (CLOSES - timedelta(microseconds=1), "last_days"),
        (CLOSES, "ended"),
    ],
)
def test_the_state_changes_at_the_exact_instant(now, state):
    assert where(now) == state


def test_the_goal_is_reached_to_the_penny():
    assert where(OPENS, raised_minor=9_499_999) == "running"
    assert where(OPENS, raised_minor=9_500_000) == "reached"


def test_reaching_the_goal_matters_more_than_the_last_days():
    assert where(CLOSES - timedelta(hours=1), raised_minor=9_500_000) == "reached"


def test_an_appeal_that_staff_closed_has_ended_whatever_else_holds():
    assert where(OPENS - timedelta(days=1), raised_minor=9_500_000, closed=True) == "ended"


def test_an_appeal_that_reached_its_goal_still_ends():
    assert where(CLOSES, raised_minor=9_500_000) == "ended"


def test_gifts_before_opening_do_not_open_an_appeal():
    assert where(OPENS - timedelta(days=1), raised_minor=9_500_000) == "upcoming"


def test_an_appeal_without_times_or_goal_runs():
    assert where(OPENS, opens_at=None, closes_at=None, goal_minor=None, raised_minor=10**9) == "running"


def test_the_last_72_hours_are_hours_though_the_clocks_change():
    closes_at = datetime(2026, 10, 26, tzinfo=LONDON)
    ninety = datetime(2026, 10, 23, tzinfo=LONDON)
    assert where(ninety, opens_at=None, closes_at=closes_at) == "running"
    assert where(ninety + timedelta(hours=1), opens_at=None, closes_at=closes_at) == "last_days"


# --- Days left


@pytest.mark.parametrize(
    "closes_at", [datetime(2026, 12, 25, tzinfo=UTC), datetime(2026, 12, 24, 23, 59, 59, tzinfo=UTC)]
)
@pytest.mark.parametrize(
    ("now", "days"),
    [
        (datetime(2026, 12, 24, 0, 0, tzinfo=UTC), 1),
        (datetime(2026, 12, 24, 23, 59, tzinfo=UTC), 1),
        (datetime(2026, 12, 23, 23, 59, tzinfo=UTC), 2),
        (datetime(2026, 12, 13, 12, 0, tzinfo=UTC), 12),
        (datetime(2026, 12, 25, 0, 0, tzinfo=UTC), 0),
        (datetime(2027, 12, 25, 0, 0, tzinfo=UTC), 0),
    ],
)
def test_today_and_the_closing_day_both_count(closes_at, now, days):
    assert progress.days_left(now, closes_at, LONDON) == days


def test_there_are_no_days_left_to_tell_without_a_closing_time():
    assert progress.days_left(OPENS, None, LONDON) is None


def test_a_day_is_a_day_in_the_appeals_zone():
    closes_at = datetime(2026, 7, 1, tzinfo=LONDON)
    late_in_utc = datetime(2026, 6, 28, 23, 30, tzinfo=UTC)
    assert progress.days_left(late_in_utc, closes_at, LONDON) == 2
    assert progress.days_left(late_in_utc, closes_at, ZoneInfo("UTC")) == 3


@given(instants, st.timedeltas(timedelta(0), timedelta(days=400)), instants, zones)
@fast
def test_days_left_never_grow_as_time_passes(now, later, closes_at, zone):
    assert progress.days_left(now, closes_at, zone) >= progress.days_left(now + later, closes_at, zone)


@given(instants, instants, zones)
@fast
def test_days_left_are_nought_exactly_from_closing_on(now, closes_at, zone):
    assert (progress.days_left(now, closes_at, zone) == 0) == (now >= closes_at)


@given(st.dates(date(2020, 1, 1), date(2030, 1, 1)), st.integers(0, 400))
@fast
def test_a_closing_day_so_many_days_away_is_counted_across_changes_of_the_clocks(today, ahead):
    midnight = datetime.combine(today + timedelta(days=ahead + 1), datetime.min.time(), LONDON)
    noon = datetime.combine(today, datetime.min.time(), LONDON).replace(hour=12)
    assert progress.days_left(noon, midnight, LONDON) == ahead + 1


# --- Whole units


def test_the_public_figures_are_those_of_the_contract():
    assert progress.formatted(6_123_450, 9_500_000, "gbp") == progress.Formatted(
        "£61,234", "£95,000", "£33,766"
    )


def test_without_a_goal_nothing_remains_to_show():
    assert progress.formatted(6_123_450, None, "gbp") == progress.Formatted("£61,234", None, None)


def test_nothing_remains_beyond_the_goal():
    assert progress.formatted(9_600_000, 9_500_000, "gbp").remaining == "£0"


@given(raised, goals, st.sampled_from(["gbp", "jpy", "kwd"]))
@fast
def test_what_remains_is_the_shown_goal_less_the_shown_raised(raised_minor, goal_minor, currency):
    def units(text):
        return int("".join(sign for sign in text if sign in "-0123456789"))

    shown = progress.formatted(raised_minor, goal_minor, currency)
    assert units(shown.remaining) == max(0, units(shown.goal) - units(shown.raised))
    assert units(shown.goal) == int(plain(goal_minor, currency).partition(".")[0])


# --- Pace


def test_the_pace_is_the_mean_of_the_last_14_finished_days():
    assert (
        progress.pace([9_999] * 3 + [100] * 14, raised_minor=0, goal_minor=None, days_left=None).per_day_minor
        == 100
    )


def test_each_remaining_day_must_bring_its_share_rounded_up():
    assert progress.pace([], raised_minor=0, goal_minor=100, days_left=3).needed_per_day_minor == 34


def test_nothing_more_is_needed_beyond_the_goal():
    assert progress.pace([], raised_minor=101, goal_minor=100, days_left=3).needed_per_day_minor == 0


def test_the_range_comes_from_the_worst_and_the_best_week():
    found = progress.pace([10] * 7 + [40] * 7 + [20] * 14, raised_minor=1000, goal_minor=1201, days_left=10)
    assert (found.likely_low_minor, found.likely_mid_minor, found.likely_high_minor) == (1100, 1200, 1400)
    assert found.on_track is False


def test_what_came_today_is_not_counted_twice():
    found = progress.pace([100] * 14, raised_minor=1060, goal_minor=1200, days_left=2, today_minor=60)
    assert (found.likely_mid_minor, found.on_track) == (1200, True)


def test_a_day_better_than_the_pace_is_not_taken_back():
    assert (
        progress.pace(
            [1] * 14, raised_minor=900, goal_minor=None, days_left=1, today_minor=800
        ).likely_low_minor
        == 900
    )


def test_without_a_closing_time_no_finish_is_guessed():
    found = progress.pace([100] * 14, raised_minor=1000, goal_minor=2000, days_left=None)
    assert found == progress.Pace(100, None, None, None, None, None)


def test_after_closing_the_finish_is_what_was_raised():
    found = progress.pace([100] * 14, raised_minor=1000, goal_minor=900, days_left=0)
    assert (found.likely_low_minor, found.likely_high_minor, found.on_track) == (1000, 1000, True)


@given(
    st.lists(st.integers(-(10**6), 10**8), max_size=60),
    st.integers(0, 10**9),
    goals,
    st.integers(0, 400),
    st.integers(0, 10**6),
)
@fast
def test_the_likely_finish_is_a_range_that_starts_at_what_is_there(
    daily, so_far, goal_minor, days, today_minor
):
    found = progress.pace(
        daily, raised_minor=so_far, goal_minor=goal_minor, days_left=days, today_minor=today_minor
    )
    assert so_far <= found.likely_low_minor <= found.likely_mid_minor <= found.likely_high_minor
    assert found.on_track == (found.likely_mid_minor >= goal_minor)


# --- Monthly gifts to come


def projected(first_at, closes_at, now, interval="month"):
    return progress.projected_monthly_minor([(1, first_at, interval)], closes_at, now)


@pytest.mark.parametrize(
    ("first_at", "closes_at", "count"),
    [
        (datetime(2026, 1, 15, tzinfo=UTC), datetime(2026, 4, 15, tzinfo=UTC), 4),
        (datetime(2026, 1, 15, tzinfo=UTC), datetime(2026, 4, 14, 23, 59, tzinfo=UTC), 3),
        (datetime(2026, 1, 31, tzinfo=UTC), datetime(2026, 2, 28, tzinfo=UTC), 2),
        (datetime(2026, 1, 31, tzinfo=UTC), datetime(2026, 2, 27, tzinfo=UTC), 1),
        (datetime(2026, 1, 31, tzinfo=UTC), datetime(2026, 3, 30, tzinfo=UTC), 2),
        (datetime(2028, 1, 30, tzinfo=UTC), datetime(2028, 2, 29, tzinfo=UTC), 2),
        (datetime(2026, 5, 1, tzinfo=UTC), datetime(2026, 4, 30, tzinfo=UTC), 0),
    ],
)
def test_instalments_count_up_to_and_including_closing(first_at, closes_at, count):
    assert projected(first_at, closes_at, datetime(2026, 1, 1, tzinfo=UTC)) == count


def test_an_instalment_due_now_or_overdue_is_not_expected_again():
    due = datetime(2026, 1, 15, tzinfo=UTC)
    assert projected(due, datetime(2026, 3, 1, tzinfo=UTC), due) == 1


def test_a_yearly_gift_recurs_once_a_year():
    assert projected(datetime(2028, 2, 29, tzinfo=UTC), datetime(2030, 2, 28, tzinfo=UTC), OPENS, "year") == 3


def test_nothing_is_projected_without_a_closing_time_or_after_it():
    assert projected(OPENS, None, OPENS) == 0
    assert projected(OPENS, OPENS, OPENS) == 0


def test_instalments_add_up_by_their_amounts():
    gifts = [(500, OPENS + timedelta(days=1), "month"), (2500, OPENS + timedelta(days=60), "month")]
    assert progress.projected_monthly_minor(gifts, OPENS + timedelta(days=45), OPENS) == 1000


@given(instants, instants, instants)
@fast
def test_the_projection_agrees_with_counting_month_by_month(first_at, closes_at, now):
    counted, month = 0, 0
    while (due := progress.months_later(first_at, month)) <= closes_at:
        counted += due > now
        month += 1
    assert projected(first_at, closes_at, now) == counted


# --- The sentence


def say(state="running", **changes):
    values = {"raised_minor": 6_123_450, "goal_minor": 9_500_000, "gift_count": 1893, "days_left": 12}
    return progress.sentence(state=state, currency="gbp", **values | changes)


@pytest.mark.parametrize(
    ("sentence", "state", "changes"),
    [
        ("£61,234 of £95,000 from 1,893 gifts; 12 days left", "running", {}),
        ("£61,234 of £95,000 from 1,893 gifts", "running", {"days_left": None}),
        ("£61,234 from 1,893 gifts; 12 days left", "running", {"goal_minor": None}),
        ("£25 of £95,000 from 1 gift; 12 days left", "running", {"raised_minor": 2500, "gift_count": 1}),
        ("£61,234 of £95,000 from 1,893 gifts; 2 days left", "last_days", {"days_left": 2}),
        ("£61,234 of £95,000 from 1,893 gifts; last day", "last_days", {"days_left": 1}),
        (
            "Be the first to give towards £95,000; 12 days left",
            "running",
            {"raised_minor": 0, "gift_count": 0},
        ),
        (
            "Be the first to give",
            "running",
            {"raised_minor": 0, "gift_count": 0, "goal_minor": None, "days_left": None},
        ),
        (
            "Goal reached: £95,000 of £95,000 from 1,893 gifts; 12 days left",
            "reached",
            {"raised_minor": 9_500_000},
        ),
        (
            "Goal passed: £101,234 of £95,000 from 1,893 gifts; last day",
            "reached",
            {"raised_minor": 10_123_450, "days_left": 1},
        ),
        ("The appeal for £95,000 opens on 1 December", "upcoming", {"opens_on": date(2026, 12, 1)}),
        ("The appeal opens on 1 December", "upcoming", {"opens_on": date(2026, 12, 1), "goal_minor": None}),
        ("The appeal for £95,000 opens soon", "upcoming", {}),
        ("The appeal raised £61,234 from 1,893 gifts: thank you", "ended", {"days_left": 0}),
        ("The appeal raised £61,234 from 1,893 gifts: thank you", "ended", {"goal_minor": None}),
        (
            "The appeal raised £101,234 from 1,893 gifts and reached its goal of £95,000: thank you",
            "ended",
            {"raised_minor": 10_123_450},
        ),
        ("The appeal has ended", "ended", {"raised_minor": 0, "gift_count": 0}),
    ],
)
def test_the_sentence_says_where_the_appeal_stands(sentence, state, changes):
    assert say(state, **changes) == sentence


def test_the_sentence_writes_figures_as_the_locale_does():
    assert say(locale="de_DE") == "61.234\xa0£ of 95.000\xa0£ from 1.893 gifts; 12 days left"


@given(
    st.sampled_from(["upcoming", "running", "last_days", "reached", "ended"]),
    raised,
    st.none() | goals,
    st.integers(0, 10**7),
    st.none() | st.integers(0, 400),
)
@fast
def test_the_sentence_is_plain_and_whole_whatever_the_figures(
    state, raised_minor, goal_minor, gift_count, days
):
    text = say(state, raised_minor=raised_minor, goal_minor=goal_minor, gift_count=gift_count, days_left=days)
    assert "None" not in text
    assert text[0] in "£-BGT"
    assert not text.endswith((".", ";", " "))
    assert not set(text) & set("<>&")


@pytest.mark.parametrize(
    ("tenths", "locale", "shown"),
    [
        (644, "en_GB", "64.4%"),
        (640, "en_GB", "64%"),
        (2333, "en-GB", "233.3%"),
        (9, "de_DE", "0,9\xa0%"),
        (12_345, "de_DE", "1.234,5\xa0%"),
        (644, "ja_JP", "64.4%"),
    ],
)
def test_a_percentage_is_written_as_the_locale_writes_it(tenths: int, locale: str, shown: str) -> None:
    assert progress.percent_shown(tenths, locale) == shown
