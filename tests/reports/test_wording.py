from datetime import UTC, datetime, timedelta, timezone

import pytest

from reports.privacy import shorten_paths
from reports.wording import (
    counted,
    duration,
    listed,
    magnitude,
    moment,
    number,
    numbers_alike,
    p_in_words,
    seeds,
    shortened,
    signed,
    significant,
)


def plain(text):
    return text.replace("\N{NO-BREAK SPACE}", " ")


@pytest.mark.parametrize(("value", "text"), [(1.005, "1.00"), (-0.001, "0.00"), (-2.5, "−2.50"), (None, "–")])
def test_numbers_have_fixed_decimals_and_a_real_minus(value, text):
    assert number(value) == text


@pytest.mark.parametrize(
    ("p", "text"), [(0.0, "<0.0001"), (0.000099, "<0.0001"), (0.0001, "0.0001"), (0.03126, "0.0313")]
)
def test_a_p_has_four_decimals_or_is_below_the_least(p, text):
    assert p_in_words(p) == text


def test_differences_carry_their_sign():
    assert [signed(each) for each in (1.0, -1.0, 0.0)] == ["+1.00", "−1.00", "0.00"]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1.60009, "1.6"),
        (9.13333, "9.13"),
        (0.0123456, "0.0123"),
        (999, "999"),
        (1730, "1.73 k"),
        (999_999, "1.00 M"),
        (19_400_000, "19.4 M"),
        (256e9, "256 G"),
    ],
)
def test_magnitudes_have_three_digits(value, text):
    assert plain(magnitude(value)) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (7.04, "7.0 s"),
        (9.96, "10 s"),
        (59.4, "59 s"),
        (59.7, "1 min"),
        (200, "3 min 20 s"),
        (7200, "2 h"),
        (200_000, "2 d 7 h"),
    ],
)
def test_durations_use_two_units(value, text):
    assert plain(duration(value)) == text


def test_lists_read_as_sentences():
    assert [listed(each) for each in ([], ["a"], "ab", "abc")] == ["", "a", "a and b", "a, b and c"]


def test_long_lists_are_counted():
    assert listed(range(10), 4) == "0, 1, 2 and 7 more"


def test_counts_agree_with_their_noun():
    assert (counted(1, "seed"), counted(10_000, "trial")) == ("1 seed", "10,000 trials")
    assert [counted(each, "CPU") for each in (0, 0.5, 1.0, 1.5, 1e7)] == [
        "0 CPUs", "0.5 CPUs", "1 CPU", "1.5 CPUs", "10,000,000 CPUs",
    ]  # fmt: skip


def test_runs_of_seeds_are_shortened():
    assert seeds([4, 0, 1, 2, 7, 8]) == "0–2, 4, 7, 8"


def test_moments_are_in_utc():
    tokyo = timezone(timedelta(hours=9))
    assert moment(datetime(2026, 1, 1, 9, 0, tzinfo=tokyo)) == moment(datetime(2026, 1, 1, tzinfo=UTC))


def test_names_lose_line_breaks_and_their_length():
    assert shortened("a\nb\u202ec" + "x" * 100, 10) == "a b cxxxx…"


@pytest.mark.parametrize(
    ("text", "short"),
    [
        ("run /home/me/a.yaml", "run …/a.yaml"),
        (r"C:\Users\me\data", "…/data"),
        ("https://arxiv.org/abs/1603.05027", "https://arxiv.org/abs/1603.05027"),
        ("train/test, 1/2", "train/test, 1/2"),
        ("root=/mnt/secret/data", "root=…/data"),
    ],
)
def test_absolute_paths_are_cut_to_their_last_name(text, short):
    assert shorten_paths(text) == short


@pytest.mark.parametrize(
    ("values", "texts"),
    [
        ([0.001, 1, 10000], ["0.001", "1", "10000"]),
        ([0.001, 1, 1e6], ["10⁻³", "10⁰", "10⁶"]),
        ([1e-16, 2e-16], ["10⁻¹⁶", "2×10⁻¹⁶"]),
        ([0, 2.5e9], ["0", "2.5×10⁹"]),
        ([-3e7], ["−3×10⁷"]),
        ([], []),
    ],
)
def test_long_numbers_of_an_axis_are_powers_of_ten(values, texts):
    assert numbers_alike(values) == texts


def test_a_number_alone_is_rounded():
    assert [significant(each, 3) for each in (4123.4, 0.00019234, 57424242.0, 0.0)] == [
        "4120",
        "0.000192",
        "5.74×10⁷",
        "0",
    ]


def test_names_with_commas_are_listed_with_semicolons():
    assert listed(["a, b", "c, d", "e"]) == "a, b; c, d; and e"
    assert listed(["a, b", "c"]) == "a, b; and c"
    assert listed(["depth (8, 14)", "lr (1)"]) == "depth (8, 14) and lr (1)"
    assert listed(["a", "b", "c"]) == "a, b and c"
