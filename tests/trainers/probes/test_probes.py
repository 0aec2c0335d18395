"""What a study file says of probes, and what every probe declares."""

import errno
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from search_spaces.errors import SettingError
from tests.trainers.probes.conftest import SEED, bench_of, weights_of
from trainers import probes
from trainers.probes import PROBES, complete_probes
from trainers.probes.session import ProbeLog, ProbeSession


def refusal(given):
    with pytest.raises(SettingError) as refused:
        complete_probes(given)
    return refused.value


def test_a_name_stands_for_the_probe_with_its_defaults():
    (request,) = complete_probes(["lesion"])
    assert request.kind == "lesion"
    assert request.settings == {"draws": 3, "tolerance": 1.0, "swaps": True, "counts": "doubling"}


def test_the_key_follows_the_settings():
    keys = [
        complete_probes([given])[0].key
        for given in ("lesion", {"name": "lesion", "draws": 3}, {"name": "lesion", "draws": 4})
    ]
    assert keys[0] == keys[1] != keys[2]


def test_a_later_setting_leaves_earlier_measurements_their_key():
    assert complete_probes(["lesion"])[0].key == "91bf633830e7dda0"  # as before there were `counts`
    assert complete_probes([{"name": "lesion", "counts": "every"}])[0].key != "91bf633830e7dda0"


@pytest.mark.parametrize(
    ("given", "key", "says"),
    [
        (["lesions"], (0,), 'unknown probe "lesions": did you mean "lesion"?'),
        (["lesion", {"name": "layer_respons"}], (1, "name"), 'did you mean "layer_response"?'),
        ([{"name": "lesion", "drws": 3}], (0, "drws"), 'unknown lesion setting "drws": did you mean "draws"?'),
        ([{"name": "lesion", "draws": 0}], (0, "draws"), "draws must be"),
        ([{"draws": 1}], (0,), "a probe is a name or a mapping"),
        ([3], (0,), "a probe is a name or a mapping"),
        (["lesion", "lesion"], (1,), "lesion stands twice"),
        ("lesion", (), "probes is a list"),
    ],
)
def test_a_mistake_is_named_with_its_place(given, key, says):
    error = refusal(given)
    assert error.key == key
    assert says in error.message


def test_names_and_scalars_need_no_torch():
    code = "import sys, trainers.probes as p; assert p.PROBES['lesion'].scalars; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("probe", PROBES.values(), ids=PROBES)
def test_a_view_draws_what_the_probe_declares(probe):
    places = {place.name for place in probe.places}
    assert {view.output for view in probe.views} <= {output.name for output in probe.outputs}
    numbers = {output.name for output in probe.outputs}
    assert all(set(view.axes) <= {*places, *numbers, "epoch"} for view in probe.views)
    assert all(set(view.where) <= {*places, "epoch"} for view in probe.views)
    assert probe.scalars


def test_weights_of_another_network_are_refused():
    subject, weights = bench_of().subject(SEED, None, 0), weights_of(bench_of())
    subject.take(SEED, weights, 2)
    assert all(torch.equal(each, weights[name]) for name, each in subject.network.state_dict().items())
    narrow = {name: each[:1] if each.dim() else each for name, each in weights.items()}
    with pytest.raises(RuntimeError, match="size mismatch"):
        subject.take(SEED, narrow, 2)
    with pytest.raises(RuntimeError, match="Missing key"):
        subject.take(SEED, {}, 2)


INVENTED = """
from trainers.probes.probe import Output, Place, Probe, Row, Scalar, View


class Invented(Probe):
    title, source, places = "Invented", "nobody", (Place("unit", "unit"),)
    outputs = (Output("size", "size"),)
    scalars = (Scalar("largest", "largest size", better="lower"),)
    views = (View("size", ("unit",), "Size"),)

    def __init__(self, *, scale: float = 1.0) -> None:
        self.scale = scale

    def measure(self, subject, done):
        yield [Row({"unit": unit.index}, {"size": self.scale * unit.index}) for unit in subject.units]

    def summarise(self, rows):
        return {"largest": max(row.numbers["size"] for row in rows)}

    def forward_passes(self, load):
        return 0.0
"""


def test_a_file_in_the_folder_is_a_probe(tmp_path, monkeypatch):
    (tmp_path / "invented_probe.py").write_text(INVENTED)
    monkeypatch.setattr(probes, "__path__", [*probes.__path__, str(tmp_path)])
    found = probes.find_probes()
    monkeypatch.setattr(probes, "PROBES", found)
    assert set(found) == {*PROBES, "invented_probe"}
    (request,) = complete_probes([{"name": "invented_probe", "scale": 2}])
    session = ProbeSession(bench_of(), (request,), 2, ProbeLog(None))
    (measured,) = [each for each in session.conclude(SEED, weights_of(bench_of()), 2) if each is not None]
    assert measured.values["scalars"] == {"largest": 4.0}
    assert measured.values["probe"]["views"][0]["output"] == "size"


def test_a_disk_that_takes_nothing_costs_no_measurement(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = ProbeLog(tmp_path / "a.probes.json")
    log.save()

    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    for name in ("mkdir", "write_text", "replace", "unlink"):
        monkeypatch.setattr(Path, name, refuse)
    log.save()
    log.remove()
