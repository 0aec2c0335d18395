"""A wrong probe of a newcomer is told what is wrong in one line; a right one is stored as plain numbers."""

import re

import pytest
import torch

from search_spaces.errors import SettingError
from tests.trainers.probes.conftest import SEED, bench_of, weights_of
from trainers import probes
from trainers.probes import ProbeRequest
from trainers.probes.declaration import check_probe
from trainers.probes.probe import Output, Place, Probe, Row, Scalar, View
from trainers.probes.session import ProbeLog, ProbeSession


class Right(Probe):
    title, source = "Right", "nobody"
    places = (Place("unit", "unit"), Place("Layer", "layer"))
    outputs = (Output("size", "size"), Output("Rank", "rank"))
    scalars = (Scalar("largest", "largest size"),)
    views = (
        View("size", ("unit",), "Size"),
        View("size", ("unit", "epoch"), "Map"),
        View("size", ("Rank",), "By rank"),
    )

    def measure(self, subject, done):
        yield [Row({"unit": unit.index}, {"size": 1.0}) for unit in subject.units]

    def summarise(self, rows):
        return {"largest": float(len(rows))}

    def forward_passes(self, load):
        return 0.0


def test_a_right_one_is_taken():
    check_probe("right", Right)


@pytest.mark.parametrize("probe", probes.PROBES.values(), ids=probes.PROBES)
def test_those_of_the_program_are_right(probe):
    check_probe("name", probe)


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"outputs": (Output("size", "a"), Output("unit", "b"))}, 'declares "unit" twice'),
        ({"scalars": (Scalar("a", "a"), Scalar("a", "b"))}, 'declares "a" twice'),
        ({"places": (Place("unit", "unit"), Place("epoch", "epoch"))}, "declares epoch, which every row has of itself"),
        ({"scalars": (Scalar("mean.size", "mean"),)}, 'declares "mean.size": a name is made of letters'),
        ({"scalars": (Scalar("a", "a", better="less"),)}, """says better='less' of the scalar "a": it is "lower","""),
        ({"views": (View("sise", ("unit",), "A"),)}, 'view "A" an unknown output "sise": did you mean "size"?'),
        ({"views": (View("size", ("unt",), "A"),)}, 'view "A" an unknown axis "unt": did you mean "unit"?'),
        ({"views": (View("size", (), "A"),)}, 'has 0 axes in the view "A": a picture has one axis or two'),
        ({"views": (View("size", ("unit", "Layer", "epoch"), "A"),)}, 'has 3 axes in the view "A"'),
        ({"views": (View("size", ("unit",), "A", {"layer": 1}),)}, 'unknown place "layer": did you mean "Layer"?'),
    ],
)
def test_a_wrong_declaration_is_one_line(changed, says):
    with pytest.raises(SettingError, match=f"^{re.escape('trainers/probes/mine.py: Wrong ')}.*{re.escape(says)}"):
        check_probe("trainers/probes/mine.py", type("Wrong", (Right,), changed))


def test_what_is_missing_is_named():
    with pytest.raises(SettingError, match=r"mine\.py: Bare does not define forward_passes, measure, summarise"):
        check_probe("trainers/probes/mine.py", type("Bare", (Probe,), {}))
    methods = {name: getattr(Right, name) for name in ("forward_passes", "measure", "summarise")}
    with pytest.raises(SettingError, match="Bare does not declare title, source, places, outputs, scalars, views"):
        check_probe("trainers/probes/mine.py", type("Bare", (Probe,), methods))


@pytest.mark.parametrize(("text", "found"), [("", "none"), ("class A(Right): ...\nclass B(Right): ...\n", "A, B")])
def test_a_file_that_defines_no_probe_or_two_is_named(text, found, tmp_path, monkeypatch):
    name = f"mine_{len(text)}"
    (tmp_path / f"{name}.py").write_text(f"from {__name__} import Right\n{text}")
    monkeypatch.setattr(probes, "__path__", [*probes.__path__, str(tmp_path)])
    with pytest.raises(SettingError, match=f"{name}.py: a file here defines one class derived from Probe, not {found}"):
        probes.find_probes()


def found_by(monkeypatch, **methods):
    """Measure a network with a probe that has other methods; return what is kept of it."""
    monkeypatch.setattr(probes, "PROBES", {"mine": type("Mine", (Right,), methods)})
    session = ProbeSession(bench_of(), (ProbeRequest("mine", {}),), 2, ProbeLog(None))
    (found,) = [each for each in session.conclude(SEED, weights_of(bench_of()), 2) if each is not None]
    return found.values


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ([Row({"unit": 0}, {"sizes": 1.0})], 'mine measures an unknown output "sizes": did you mean "size"?'),
        ([Row({"units": 0}, {"size": 1.0})], 'mine measures at an unknown place "units": did you mean "unit"?'),
        ([Row({"unit": 0}, {"size": "large"})], "mine gives \"size\" the value 'large', which is no number"),
        ([Row({"unit": 0}, {"size": torch.ones(2)})], 'mine gives "size" the value tensor([1., 1.])'),
        ([Row({"unit": {}}, {"size": 1.0})], 'mine gives the place "unit" the value {}'),
        ([Row({"unit": [0.5]}, {"size": 1.0})], 'mine gives the place "unit" the value [0.5]: a place is a number'),
        ([{"unit": 0}], "mine yields {'unit': 0} as a row, which is no Row"),
        (Row({"unit": 0}, {"size": 1.0}), "mine yields Row(at={'unit': 0}, numbers={'size': 1.0}"),
        (None, "mine yields None instead of a list of rows"),
    ],
)
def test_a_wrong_row_is_the_reason_why_there_is_no_measurement(rows, says, monkeypatch):
    values = found_by(monkeypatch, measure=lambda self, subject, done: iter([rows]))
    assert values["failed"].startswith(says)
    assert values["rows"] == []


@pytest.mark.parametrize(
    ("scalars", "says"),
    [
        ({"larges": 1.0}, 'mine finds an unknown scalar "larges": did you mean "largest"?'),
        ({"largest": "all"}, "mine gives \"largest\" the value 'all', which is no number"),
        (3.0, "mine summarises its rows as 3.0 instead of a dict of numbers"),
    ],
)
def test_a_wrong_scalar_too(scalars, says, monkeypatch):
    assert found_by(monkeypatch, summarise=lambda self, rows: scalars)["failed"].startswith(says)


def test_numbers_of_torch_are_plain_and_those_that_are_not_finite_are_none(monkeypatch):
    rows = [
        Row({"unit": torch.tensor(3), "Layer": "a"}, {"size": torch.tensor(0.5), "Rank": float("nan")}),
        Row({"unit": 4, "Layer": [1, 2]}, {"size": float("inf")}),
    ]
    values = found_by(
        monkeypatch,
        measure=lambda self, subject, done: iter([rows]),
        summarise=lambda self, rows: {"largest": float("-inf")},
    )
    assert [row["at"] for row in values["rows"]] == [{"unit": 3, "Layer": "a"}, {"unit": 4, "Layer": [1, 2]}]
    assert [row["numbers"] for row in values["rows"]] == [{"size": 0.5, "Rank": None}, {"size": None}]
    assert values["scalars"] == {"largest": None}
