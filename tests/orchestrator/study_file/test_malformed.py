"""Malformed study files: each is one message that names file, line and key, and exit code 2, within a second or two."""

import os
import time
from pathlib import Path

import pytest

from orchestrator.errors import UserError
from orchestrator.study_file.yaml_source import read_yaml

GOOD = {
    "study": "study: t",
    "data": "data: {name: synthetic, shape: [3, 8, 8], classes: 3, train_size: 64, test_size: 32}",
    "network": "network: {family: resnet_cifar, depth: 8, width: 4}",
    "training": "training: {epochs: 1}",
}
SEARCH = "design: search\nsearch: {arms: 2}\n"
NINES = "\n".join(
    ["a: &a [1, 1, 1, 1, 1, 1, 1, 1, 1]"]
    + [
        f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]"
        for before, name in zip("abcdefgh", "bcdefghi", strict=True)
    ]
)

# What replaces or follows the good lines, the place that the message names, and a part of the message.
MALFORMED = [
    ("study: ['t']", "study.yaml:1: study:", "must be a name"),
    ("study: t\nstudy: u", "study.yaml:2: study:", "stands twice"),
    ("study: ''", "study.yaml:1: study:", "must be a name"),
    ("study: 2024-01-01\ntrainings: {}", "study.yaml:2: trainings:", 'did you mean "training"'),
    (f"study: {'x' * 101}", "study.yaml:1: study:", "must be a name"),
    ("question: {why: not}", "study.yaml:5: question:", "must be text"),
    ("question: 42", "study.yaml:5: question:", "must be text, not 42"),
    ("network: [resnet_cifar]", "study.yaml:3: network:", "must be a mapping"),
    ("network: {family: resnet_cifr}", "study.yaml:3: network.family:", 'did you mean "resnet_cifar"'),
    ("network: {family: resnet_cifar, depth: 9}", "study.yaml:3: network.depth:", "6n+2"),
    ("network: {family: resnet_cifar, depth: '8'}", "study.yaml:3: network.depth:", "must be a whole number"),
    ("network: {family: resnet_cifar, depth: 8.5}", "study.yaml:3: network.depth:", "not 8.5"),
    ("network: {family: resnet_cifar, depth: yes}", "study.yaml:3: network.depth:", "not True"),
    ("network: {width: 0x7fffffffffffffff}", "study.yaml:3: network.width:", "from 1 to 100,000"),
    ("network: {width: 1e400}", "study.yaml:3: network.width:", "must be a finite number"),
    ("network: {width: .nan}", "study.yaml:3: network.width:", "not nan"),
    ("network: {width: 010}", "study.yaml:3: network.width:", "YAML reads 010 as the number 8"),
    ("network: {depth: 10000000}", "study.yaml:3: network.depth:", "from 1 to 10,000"),
    ("network: {stem_width: 1000000000000}", "study.yaml:3: network.stem_width:", "from 1 to 100,000"),
    ("network: {family: densenet, growth: 99999999}", "study.yaml:3: network.growth:", "from 1 to 100,000"),
    ("network: {family: vgg, depth: 16, hidden: -1}", "study.yaml:3: network.hidden:", "from 0 to 100,000"),
    ("network: {shortcut: {op: dropout, rate: '0.5'}}", "study.yaml:3: network.shortcut.rate:", "not '0.5'"),
    ("network: {shortcut: {op: dropout, rates: 0.5}}", "study.yaml:3: network.shortcut.rates:", 'did you mean "rate"'),
    ("network: {activation: conv conv | ad |}", "study.yaml:3: network.activation:", ""),
    ("batch_size: 32", "study.yaml:5: batch_size:", 'did you mean "training.batch_size"'),
    ("training: {epochs: 0}", "study.yaml:4: training.epochs:", "from 1 to 1,000,000, not 0"),
    ("training: {epochs: 1e12}", "study.yaml:4: training.epochs:", "from 1 to 1,000,000"),
    ("training: {lr: '0.1'}", "study.yaml:4: training.lr:", "must be a number above 0, not '0.1'"),
    ("training: {lr: 0.1.2}", "study.yaml:4: training.lr:", "not '0.1.2'"),
    ("training: {lr: -.inf}", "study.yaml:4: training.lr:", "not -inf"),
    ("training: {batch_size: 1}", "study.yaml:4: training.batch_size:", "from 2 to 1,000,000"),
    ("training: {schedule: {name: step, drops: [0.7, 0.5]}}", "study.yaml:4: training.schedule.drops:", "must rise"),
    ("training: {schedule: {nmae: step}}", "study.yaml:4: training.schedule.nmae:", 'did you mean "name"'),
    ("training: {augment: {crop: true}}", "study.yaml:4: training.augment.crop:", "not True"),
    ("training: {init: {conv: xavier}}", "study.yaml:4: training.init.conv:", "he_fan_in"),
    ("training: {nesterov: 'no'}", "study.yaml:4: training.nesterov:", "must be true or false"),
    ("training: {epochs: 1, iterations: 2}", "study.yaml:4: training.iterations:", "not both"),
    ("data: imagnet", "study.yaml:2: data.name:", 'unknown data set "imagnet"'),
    ("data: {shape: [3, 8, 8]}", "study.yaml:2: data:", "data needs a name"),
    ("data: {name: synthetic, shape: [3, 8]}", "study.yaml:2: data.shape:", "3 values"),
    ("data: {name: synthetic, train_size: 1e10}", "study.yaml:2: data.train_size:", "from 2 to 10,000,000"),
    ("factors: {depth: 8}", "study.yaml:5: factors.depth:", "needs a list of levels"),
    ("factors: {depth: }", "study.yaml:5: factors.depth:", "has no levels"),
    ("factors: {depth: []}", "study.yaml:5: factors.depth:", "has no levels"),
    ("factors: {depth: [8, 8.0]}", "study.yaml:5: factors.depth[1]:", "twice"),
    ("factors: {width: [4, .inf]}", "study.yaml:5: factors.width[1]:", "finite"),
    (
        "factors: {depth: [8, x]}\nclaims: [{id: a, says: depth=8 fails, where: depth >= 8}]",
        "study.yaml:5: factors.depth[1]:",
        "must be a whole number",
    ),
    (
        "factors: {v: {a: {widht: 4}, b: {}}}\nclaims: [{id: a, says: c fails}]",
        "study.yaml:5: factors.v.a.widht:",
        'did you mean "width"',
    ),
    (
        "baseline: {shortcut: identity}\nclaims: [{id: a, says: none fails}]",
        "study.yaml:5: baseline.shortcut:",
        'unknown factor "shortcut": there is none',
    ),
    ("factors: {width: [4, 8]}\nclaims: [{id: a, says: 5 fails}]", "study.yaml:6: claims[0].says:", "level"),
    ("claims: [{id: a, says: none fails}]", "study.yaml:5: claims[0].says:", 'unknown level "none": there is none'),
    ("factors: {list: {a: {widht: 4}}}", "study.yaml:5: factors.list.a.widht:", 'did you mean "width"'),
    ("factors: {number: {a: 4}}", "study.yaml:5: factors.number.a:", "a mapping of settings"),
    ("factors: {'': {a: {}}}", "study.yaml:5: factors.'':", "blank name"),
    ("factors: {v: {'a ': {width: 5}}}", "study.yaml:5: factors.v.'a ':", "ends with a blank"),
    ('factors: {v: {"a\\u200bb": {width: 5}}}', "study.yaml:5: factors.v.'a\\u200bb':", "control character"),
    ('factors: {v: {"a\\nb": {width: 5}}}', "study.yaml:5: factors.v.'a\\nb':", "control character"),
    ("factors: {analysis.alpha: [0.05, 0.01]}", "study.yaml:5: factors.analysis.alpha:", "no setting of a single arm"),
    ("factors: {width: {min: 4, max: 8}}", "study.yaml:5: factors.width:", "{low: 4, high: 8}"),
    ("factors: {width: {values: [4, 8]}}", "study.yaml:5: factors.width:", "width: [4, 8]"),
    ("factors: {width: [4, 8]}\nbaseline: {wdith: 4}", "study.yaml:6: baseline.wdith:", 'did you mean "width"'),
    ("factors: {width: [4, 8]}\nbaseline: {width: 5}", "study.yaml:6: baseline.width:", "known: 4, 8"),
    ("factors: {width: [4, 16, 8]}\nbaseline: {width: 5}", "study.yaml:6: baseline.width:", "known: 4, 8, 16"),
    (f"{'a' * 900}: 1", f"study.yaml:5: '{'a' * 76}...:", "unknown key"),
    ("factors: {width: [4, 8]}\nexclude: {width: 4}", "study.yaml:6: exclude:", "must be a list"),
    ("factors: {width: [4, 8]}\nexclude: [{width: 5}]", "study.yaml:6: exclude[0].width:", "known: 4, 8"),
    ("design: {arms: 3}", "study.yaml:5: design:", "needs a name"),
    ("design: {name: random, arms: '3'}", "study.yaml:5: design.arms:", "must be a whole number"),
    ("design: serach", "study.yaml:5: design:", "unknown design"),
    ("match: parms", "study.yaml:5: match:", 'did you mean "params"'),
    ("where: params < lots", "study.yaml:5: where:", "a condition reads"),
    ("seeds: '3'", "study.yaml:5: seeds:", "must be a whole number"),
    ("seeds: {looks: [3]}\nanalysis: {looks: [4]}", "study.yaml:6: analysis.looks:", "given twice"),
    ("seeds: {lokos: [3]}", "study.yaml:5: seeds.lokos:", 'did you mean "looks"'),
    ("seeds: [0, 1, 0]", "study.yaml:5: seeds[2]:", "stands twice"),
    ("claims: {id: a}", "study.yaml:5: claims:", "must be a list"),
    ("claims: [{id: a}]", "study.yaml:5: claims[0].says:", "missing"),
    ("claims: [a < b]", "study.yaml:5: claims[0]:", "must be a mapping"),
    ("claims: [{id: a, says: b < c, ovr: any}]", "study.yaml:5: claims[0].ovr:", 'did you mean "over"'),
    ("claims: [{id: a, says: b < c, by: '1'}]", "study.yaml:5: claims[0].by:", "must be a number"),
    ("analysis: {alpha: 2}", "study.yaml:5: analysis.alpha:", "below 1"),
    ("analysis: {aplha: 0.1}", "study.yaml:5: analysis.aplha:", 'did you mean "alpha"'),
    ("resources: {cpus: 0}", "study.yaml:5: resources.cpus:", "from 0.0001"),
    ("resources: {budget: {hours: 3}}", "study.yaml:5: resources.budget.hours:", "gpu_hours"),
    ("probes: lesion", "study.yaml:5: probes:", "must be a list"),
    ("probes: [leson]", "study.yaml:5: probes[0]:", 'did you mean "lesion"'),
    ("keep: lats", "study.yaml:5: keep:", 'did you mean "last"'),
    ("database: 7", "study.yaml:5: database:", "must be text"),
    ("search: {arms: 3}", "study.yaml:5: search:", "only `design: search`"),
    ("design: search", "study.yaml:5: design:", "needs a mapping `search:`"),
    (
        "design: search\nsearch: {arms: 2, objectives: [val_eror]}",
        "study.yaml:6: search.objectives[0]:",
        'unknown value of objectives "val_eror": did you mean "val_error"',
    ),
    (f"{SEARCH}factors: {{width: {{low: 8, high: 4}}}}", "study.yaml:7: factors.width.low:", "below high"),
    (f"{SEARCH}factors: {{width: {{low: 4, hgih: 8}}}}", "study.yaml:7: factors.width.hgih:", "high"),
    (
        f"{SEARCH}factors: {{training.momentum: {{low: 0.5, high: 1.5}}}}",
        "study.yaml:7: factors.training.momentum.",
        "1.5",
    ),
    (f"{SEARCH}factors: {{width: [4, 8]}}\nclaims: []", "study.yaml:8: claims:", "declares no claims"),
    ("a: !!python/object:os.system {}", "study.yaml:5: a:", "the tag"),
    ("factors: {depth: !!str [8, 14]}", "study.yaml:5: factors.depth:", "the tag"),
    ("network: !!int {depth: 8}", "study.yaml:3: network:", "the tag"),
    ("seeds: !!seq 3", "study.yaml:5: seeds:", "the tag"),
    (f"{SEARCH}factors: {{activation: {{wirings: {{merges: 0}}}}}}", "study.yaml:7: factors.activation", "merges"),
    ("a: {<<: *b}", "study.yaml:5:", "not valid YAML"),
    ("a: [1, 2", "study.yaml:5:", "not valid YAML: the bracket is not closed"),
    ("\tstudy: t", "study.yaml:5:", "not valid YAML"),
    (NINES, "study.yaml:", "more than 20,000 values"),
    (f"a: {'[' * 5000}{']' * 5000}", "study.yaml:5:", "more than 50 deep"),
    (f"a: {'{a: ' * 5000}{'}' * 5000}", "study.yaml:5:", "more than 50 deep"),
    ("a: &a [*a]", "study.yaml:5: a:", "more than 50 deep"),
    (f"question: {'x' * 600_000}", "study.yaml:", "at most 500,000 characters"),
    ("training: {epochs: 1, lr: 1,000}", "study.yaml:4: training.000:", 'unknown training setting "000"'),
    ("sedes:", "study.yaml:5: sedes:", 'did you mean "seeds"'),
    ("seeds: 2\n\u00a0\u00a0depth: 8", "study.yaml:6:", 'unknown key "\\xa0\\xa0depth"'),
    ("question: a\0b", "study.yaml:5: not valid YAML: the character '\\x00';", "save the file as UTF-8"),
    ('question: "\\x1b[31mred"', "study.yaml:5: question:", "has the character"),
    ("factors: {training..lr: [0.1, 0.2]}", "study.yaml:5: factors.training..lr:", "did you mean 'training.lr'"),
    (
        "factors: {training.schedule.name.x: [a, b]}",
        "study.yaml:5: factors.training.schedule.name.x[0]:",
        "known: constant, cosine, one_cycle, step",
    ),
    ("factors: {training.: [1, 2]}", "study.yaml:5: factors.training.:", "an empty part between its dots"),
    (
        f"factors: {{width: [4, 8]}}\nclaims: [{{id: a, says: '{'width=4 and ' * 3000}width=9'}}]",
        "study.yaml:6: claims[0].says: at position ",
        "...",
    ),
]


def text_of(text: str) -> str:
    """Return a study file of the good lines with `text` in the place of the line of its key, or behind them."""
    key = text.partition(":")[0]
    if key in GOOD:
        return "\n".join(text if name == key else line for name, line in GOOD.items()) + "\n"
    return "\n".join([*GOOD.values(), text]) + "\n"


@pytest.mark.parametrize("command", ["plan", "describe"])
@pytest.mark.parametrize(("text", "place", "part"), MALFORMED, ids=[each[0][:40] for each in MALFORMED])
def test_a_malformed_file_is_one_message(text, place, part, command, tmp_path, monkeypatch, capsys, main) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "study.yaml").write_text(text_of(text), encoding="utf-8")
    start = time.process_time()
    with pytest.raises(SystemExit) as ended:
        main(command, "study.yaml")
    told = capsys.readouterr()
    assert ended.value.code == 2
    assert f"orchestrate: {place}" in told.err
    assert part in told.err
    assert "Traceback" not in told.err
    assert len(told.err) < 1500
    assert told.out == ""
    assert time.process_time() - start < 20, "of work, whatever else the machine does"


@pytest.mark.parametrize(
    ("data", "line", "byte"),
    [
        (text_of("question: caf\u00e9").encode("latin-1"), 5, "e9"),
        (text_of("").encode("utf-16"), 1, "ff"),
        (text_of(f"# {'x' * 50_000}").encode() + b"question: a\xffb", 6, "ff"),
        (text_of("question: \u00e9\ufffd").encode() + b"# \xc3", 6, "c3"),
    ],
    ids=["latin-1", "utf-16", "far behind", "cut off"],
)
def test_a_file_in_another_encoding_is_told_with_its_line(
    data, line, byte, tmp_path, monkeypatch, capsys, main
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "study.yaml").write_bytes(data)
    with pytest.raises(SystemExit) as ended:
        main("plan", "study.yaml")
    assert ended.value.code == 2
    assert f"study.yaml:{line}: the byte 0x{byte} is no UTF-8 text" in capsys.readouterr().err


def test_a_pipe_in_another_encoding_is_told_with_its_line() -> None:
    reads, writes = os.pipe()
    os.write(writes, text_of("question: caf\u00e9").encode("latin-1"))
    os.close(writes)
    try:
        with pytest.raises(UserError, match=":5: the byte 0xe9 is no UTF-8 text"):
            read_yaml(Path(f"/dev/fd/{reads}"))
    finally:
        os.close(reads)


def test_a_network_that_no_machine_holds_is_refused(tmp_path, monkeypatch, capsys, main) -> None:
    monkeypatch.chdir(tmp_path)
    text = text_of("network: {family: resnet_cifar, depth: 20, width: 90000}")
    (tmp_path / "study.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(SystemExit):
        main("plan", "study.yaml")
    assert "study.yaml:3: network: it has" in capsys.readouterr().err
