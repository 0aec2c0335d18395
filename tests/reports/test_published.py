"""The published results: every row loads, the numbers are the papers', unchecked ones are marked."""

import pytest

from reports.analysis.published import Published
from reports.literature import find_published, published_rows
from search_spaces.errors import SettingError


def test_every_row_loads_and_is_named_once() -> None:
    rows = published_rows()
    assert len(rows) == 206
    assert all(reference == row.reference for reference, row in rows.items())


@pytest.mark.parametrize(
    ("reference", "error", "depth", "data"),
    [
        ("identity-mappings/table-1/shortcut-gate-0", 12.86, 110, "cifar10"),
        ("identity-mappings/table-2/bn_after_add-110", 8.17, 110, "cifar10"),
        ("identity-mappings/table-2/full_preact-164", 5.46, 164, "cifar10"),
        ("identity-mappings/table-3/full_preact-1001-cifar100", 22.71, 1001, "cifar100"),
        ("deep-residual-learning/table-6/resnet-1202", 7.93, 1202, "cifar10"),
        ("deep-residual-learning/table-3/resnet-34-c", 24.19, 34, "imagenet"),
        ("very-deep-networks/table-2/highway-c", 8.8, 32, "cifar10"),
        ("densenet/table-2/densenet-bc-190-40", 3.46, 190, "cifar10"),
        ("loss-landscape/figure-5/resnet-56-noshort", 13.31, 56, "cifar10"),
    ],
)
def test_numbers_are_the_papers(reference: str, error: float, depth: int, data: str) -> None:
    row = find_published(reference)
    assert (row.error, row.depth, row.data) == (error, depth, data)


def test_a_median_of_five_is_read_as_one() -> None:
    reference = "identity-mappings/table-2/full_preact-110"
    assert find_published(reference).published == Published(6.37, None, 5, "median", reference)


def test_a_mean_beside_the_best_is_what_is_compared() -> None:
    reference = "deep-residual-learning/table-6/resnet-110"
    assert find_published(reference).published == Published(6.61, 0.16, 5, "mean", reference)


def test_a_printed_fail_has_no_number() -> None:
    row = find_published("identity-mappings/table-1/scale-0.5-1")
    assert row.fails
    assert row.published.value is None


def test_rows_from_memory_are_marked_as_unverified() -> None:
    unverified = [row for row in published_rows().values() if not row.verified]
    assert len(unverified) == 13
    assert all(row.source.startswith("From memory") for row in unverified)


def test_what_a_row_leaves_out_is_its_table_s() -> None:
    row = find_published("identity-mappings/table-1/conv1x1")
    assert row.network == {"block": "basic", "activation": "original", "shortcut": "conv1x1"}
    assert row.where == "arXiv:1603.05027"


def test_an_unknown_row_is_told_the_nearest() -> None:
    with pytest.raises(SettingError, match='did you mean "identity-mappings/table-2/original-110"'):
        find_published("identity-mappings/table-2/orignal-110")
