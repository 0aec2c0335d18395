"""The scheduler keeps many GPUs busy, measured by its benchmark on a simulated clock."""

from benchmarks.schedule import simulate

FEW: dict[str, object] = {"factors": {"depth": [8, 14, 20]}, "network": {"family": "resnet_cifar", "width": 16}}


def test_gpus_are_busy_until_the_end() -> None:
    figures = simulate({**FEW, "seeds": 40, "resources": {"gpus": 1, "seeds_per_pack": 1}}, gpus=6)
    assert figures["packs"] == 120
    assert figures["busy"] > 0.9


def test_packs_are_handed_out_in_parts_where_whole_ones_would_leave_gpus_idle() -> None:
    figures = simulate({**FEW, "seeds": 4, "resources": {"gpus": 1, "seeds_per_pack": 4}}, gpus=12)
    assert figures["trials"] == 12
    assert figures["packs"] == 10  # the shortest ones in pairs, which the longest trial outlasts
    assert figures["hours"] < 2 * figures["hours_of_the_longest_trial"]  # 2.8 in whole packs
