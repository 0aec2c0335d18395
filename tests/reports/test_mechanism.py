"""The section of what probes measured is drawn from what a probe declares, whatever probe it is."""

import gzip
from dataclasses import replace

import pytest

from reports.analysis.measurements import probed
from reports.findings import find
from reports.page import write_report
from reports.results import Measurement
from reports.sections import mechanism
from reports.trials import State
from tests.reports import small

DECLARED = {
    "title": "Invented probe",
    "source": "nobody's paper",
    "places": [
        {"name": "unit", "label": "unit", "continuous": False},
        {"name": "x", "label": "first", "continuous": True},
        {"name": "y", "label": "second", "continuous": True},
    ],
    "outputs": [
        {"name": "size", "label": "size of a unit", "unit": "nats", "log": True},
        {"name": "rank", "label": "rank", "unit": "", "log": False},
    ],
    "scalars": [{"name": "mean", "label": "mean size", "unit": "nats", "better": "lower"}],
    "views": [
        {"output": "size", "axes": ["unit"], "title": "By unit", "where": {"epoch": 2}},
        {"output": "size", "axes": ["unit", "epoch"], "title": "By unit and epoch", "where": {}},
        {"output": "size", "axes": ["x", "y"], "title": "Surface", "where": {}},
        {"output": "size", "axes": ["rank"], "title": "Scattered", "where": {"unit": 1}},
        {"output": "size", "axes": ["x"], "title": "No row has this", "where": {"y": 9.0}},
    ],
}


def rows(scale):
    units = [
        {
            "at": {"unit": unit},
            "numbers": {"size": scale * (unit + 1) * (epoch + 1), "rank": float(epoch)},
            "epoch": epoch,
        }
        for epoch in (0, 1, 2)
        for unit in range(4)
    ]
    surface = [
        {"at": {"x": x / 2, "y": y / 2}, "numbers": {"size": scale * (1 + x * x + y * y), "rank": None}, "epoch": 2}
        for y in range(-2, 3)
        for x in range(-2, 3)
    ]
    return units + surface


def values(scale, **more):
    return {"probe": DECLARED, "rows": rows(scale), "scalars": {"mean": 2.5 * scale}, **more}


@pytest.fixture(scope="module")
def study():
    errors = {(20, "a"): (1.0, 2.0), (20, "b"): (3.0, 4.0), (56, "a"): (1.0, None), (56, "b"): (2.0, 3.0)}
    made = small.study(("depth", "variant"), errors)
    complete = [trial for trial in made.trials if trial.state is State.COMPLETE]
    return replace(
        made, measurements=tuple(Measurement(each.id, "invented", values(1 + each.seed)) for each in complete)
    )


def section(study):
    found = mechanism.build(find(study))
    assert found is not None
    return found


@pytest.fixture(scope="module")
def part(study):
    """What the section says of the one probe; drawn once, for the tests that change nothing about the study."""
    return section(study).content.parts[0]


def test_every_view_with_rows_is_drawn(part):
    titles = [figure.caption.partition(":")[0] for figure in part.figures]
    assert titles == ["By unit", "By unit and epoch", "Surface", "Surface in three dimensions", "Scattered"]
    assert (part.title, part.source) == ("Invented probe", "nobody's paper")


def test_a_line_is_the_median_of_the_seeds(study, part):
    (probe,) = probed(study)
    points = probe.points(probe.views[0], study.arms[0].name)
    assert points == {float(unit): (3.0 * (unit + 1), 6.0 * (unit + 1)) for unit in range(4)}
    figure = part.figures[0]
    assert [panel.title for panel in figure.panels] == ["depth 20", "depth 56"]
    assert figure.table.rows[0] == ("depth 20", "a", 0.0, 4.5, 2)
    assert "4.5 at unit 0, 18 at 3" in figure.panels[0].description


def test_cells_are_medians_and_a_surface_is_of_one_seed(study):
    (probe,) = probed(study)
    arm = study.arms[0].name
    assert probe.grid(probe.views[1], arm)[3.0, 2.0] == pytest.approx(18.0)
    assert probe.grid(probe.views[2], arm)[0.5, -1.0] == 6.0


def test_a_long_quantity_has_room_beside_its_axis(study):
    long = {**DECLARED["outputs"][0], "label": "what a unit changes in the signal that it is given, on the whole"}
    probe = {**DECLARED, "outputs": [long, DECLARED["outputs"][1]]}
    made = tuple(replace(each, values={**values(1.0), "probe": probe}) for each in study.measurements)
    svg = section(replace(study, measurements=made)).content.parts[0].figures[0].panels[0].drawing.svg
    assert "what a unit changes in the signal that" in svg
    assert "it is given, on the whole, nats" in svg
    assert long["label"] not in svg


def test_all_maps_share_one_scale(part):
    figure = part.figures[2]
    assert len(figure.panels) == 4
    ends = {"1" in panel.drawing.svg and "18" in panel.drawing.svg for panel in figure.panels}
    assert ends == {True}


def test_the_scale_of_contours_is_not_stretched_by_one_steep_arm(study, part):
    steep, *others = study.measurements
    spread = replace(study, measurements=(replace(steep, values=values(1e7)), *others))
    surface = section(spread).content.parts[0].figures[2]
    assert "All values above 90 have the colour of the scale's end." in surface.caption
    assert "above" not in part.figures[2].caption


def test_errors_of_changed_networks_stand_beside_the_unchanged_ones(study):
    outputs = [{**DECLARED["outputs"][0], "name": "test_error"}]
    probe = {**DECLARED, "outputs": outputs, "views": [{**DECLARED["views"][0], "output": "test_error"}]}
    changed = [{**row, "numbers": {"test_error": row["numbers"]["size"]}} for row in rows(1.0)]
    made = tuple(replace(each, values={**values(1.0), "probe": probe, "rows": changed}) for each in study.measurements)
    caption = section(replace(study, measurements=made)).content.parts[0].figures[0].caption
    assert "Test error of the unchanged networks, median: a at depth 20 1.50 %, " in caption
    assert "a at depth 56 1.00 %" in caption


def test_scalars_stand_in_a_table_by_arm(part):
    table = part.table
    assert table.name == "mechanism-invented"
    assert [column.label for column in table.columns] == ["number", "arm", "seeds", "mean", "± 1 SD", "name in claims"]
    assert table.rows[0] == ("mean size, nats", "depth=20 variant=a", 2, 3.75, 1.768, "invented.mean")
    assert {(row[0], row[5]) for row in table.rows} == {("mean size, nats", "invented.mean")}
    seen = [(row[0], row[5]) for row in table.shown()]  # people read both once
    assert seen == [("mean size, nats", "invented.mean"), *[("", "")] * (len(seen) - 1)]
    assert table.rows[2][2:5] == (1, 2.5, None)


def test_what_is_not_measured_is_said(study):
    lacking = replace(study, measurements=study.measurements[1:])
    assert section(lacking).content.notes == (
        "1 trial diverged; diverged networks are not measured.",
        "1 complete trial without some of the measurements.",
    )


def test_of_a_probe_of_pairs_one_trial_of_each_arm_lacks_nothing(study):
    of_pairs = {**values(1.0), "probe": {**DECLARED, "needs_partner": True}}
    made = tuple(replace(each, values=of_pairs) for each in study.measurements[1:])
    assert section(replace(study, measurements=made)).content.notes == (
        "1 trial diverged; diverged networks are not measured.",
    )


def test_a_probe_that_could_not_measure_an_arm_says_why(study):
    first, *others = study.measurements
    failed = {"probe": DECLARED, "rows": [], "scalars": {}, "failed": "this network has no units"}
    refused = replace(study, measurements=(replace(first, values=failed), *others))
    assert section(refused).content.parts[0].notes == ('Not measured in "a at depth 20": this network has no units.',)


def test_without_measurements_there_is_no_section(study):
    assert mechanism.build(find(replace(study, measurements=()))) is None


def test_measurements_of_older_versions_are_left_out(study):
    old = tuple(replace(each, values={"std": [1.0, 0.5]}) for each in study.measurements)
    assert mechanism.build(find(replace(study, measurements=old))) is None


def test_the_page_holds_the_section_and_leaves_its_tables_and_figures(study, tmp_path):
    page = write_report(study, tmp_path).read_text()
    assert '<section id="mechanism"' in page
    assert "style=" not in page.partition('<section id="mechanism"')[2].partition("</section>")[0]
    assert (tmp_path / "tables" / "mechanism-invented.csv").exists()
    lines = gzip.decompress((tmp_path / "data" / "measurements.csv.gz").read_bytes()).decode().splitlines()
    assert lines[0] == '"trial","arm","seed","kind","epoch","at","name","value"'
    assert len(lines) == 1 + 7 * 2 * len(rows(1.0))
    assert {"invented-1.svg", "invented-3.svg"} <= {each.name for each in (tmp_path / "figures").iterdir()}


def test_the_same_measurements_give_the_same_page(study, tmp_path):
    assert write_report(study, tmp_path / "a").read_bytes() == write_report(study, tmp_path / "b").read_bytes()


def test_values_that_no_scale_can_show_are_left_out(study):
    broken = rows(1.0)
    for row in broken[:4]:
        row["numbers"]["size"] = None
    broken[5]["numbers"]["size"] = 0.0
    strange = replace(study.measurements[0], values={**values(1.0), "rows": broken})
    section(replace(study, measurements=(strange,)))
