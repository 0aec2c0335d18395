"""Sentences of the page stand in `reports/sentences`: no other module ends a text with a full stop, nor a template."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import reports

ROOT = Path(reports.__file__).parent
ENDS = re.compile(r"[\w)%\]”}]\.(?:$|\s)")
ALLOWED = {
    "analysis/wording.py": "what is said of one verdict: tests/reports/analysis/test_wording.py",
    "analysis/prospects.py": "what `orchestrate plan` says of claims before training; no page has it",
    "latex.py": "what a LaTeX table leaves out for the width of paper, which is known only there",
}
PATHS = {"diff.py", "flat_settings.py"}
"""They put a full stop behind a setting, before the next part of its path."""
LABELS = re.compile(r"no\.|nearest earlier, no\.|\S*\.")
"""Heads of columns, and parts of names such as "training."."""


def texts_of(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Yield the line and the text of each literal, with {} where a value is put in; no docstring, error or pattern."""
    left_out: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            left_out.add(id(node.value))
        elif isinstance(node, ast.JoinedStr):
            left_out.update(map(id, node.values))
        elif isinstance(node, ast.Raise):
            left_out.update(map(id, ast.walk(node)))
        elif isinstance(node, ast.Call) and _is_label(node):
            left_out.update(map(id, ast.walk(node) if _name(node) != "Table" else node.args[1:2]))
    for node in ast.walk(tree):
        if id(node) in left_out:
            continue
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.lineno, node.value
        elif isinstance(node, ast.JoinedStr):
            yield (
                node.lineno,
                "".join(
                    str(getattr(part, "value", "")) if isinstance(part, ast.Constant) else "{}" for part in node.values
                ),
            )


def full_stops_in(text: str) -> list[int]:
    """Return the lines on which a full stop is put to the end of a text that stands elsewhere."""
    return [node.lineno for node in ast.walk(ast.parse(text)) if isinstance(node, ast.expr | ast.stmt) and _ends(node)]


def _ends(node: ast.AST) -> bool:
    if isinstance(node, ast.JoinedStr):  # f"{text}."
        words = "".join(str(part.value) for part in node.values if isinstance(part, ast.Constant))
        return words.strip() == "." and _is_full_stop(node.values[-1])
    if isinstance(node, ast.BinOp | ast.AugAssign) and isinstance(node.op, ast.Add):  # text + ".", text += "."
        sides = (node.left, node.right) if isinstance(node, ast.BinOp) else (node.value,)
        return any(map(_is_full_stop, sides))
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "join":
        joint, parts = node.func.value, node.args[:1]  # ". ".join(texts), "".join((text, "."))
        listed = parts[0].elts if parts and isinstance(parts[0], ast.Tuple | ast.List) else ()
        return (_is_full_stop(joint) and joint.value != ".") or any(map(_is_full_stop, listed))
    return False


def _is_full_stop(node: object) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.strip() == "."


def _name(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def _is_label(call: ast.Call) -> bool:
    """Whether it is the caption of a table that is the same in every study, or a regular expression."""
    if _name(call) == "Table":
        return len(call.args) > 1 and isinstance(call.args[1], ast.Constant)
    return isinstance(call.func, ast.Attribute) and getattr(call.func.value, "id", "") == "re"


def sentences_in(text: str) -> list[str]:
    return [
        each
        for _, each in texts_of(ast.parse(text))
        if ENDS.search(each) and not LABELS.fullmatch(each.replace("{}", ""))
    ]


MODULES = sorted(str(path.relative_to(ROOT)) for path in ROOT.rglob("*.py") if path.parent.name != "sentences")


def test_no_other_module_ends_a_sentence():
    found = {name: said for name in MODULES if (said := sentences_in((ROOT / name).read_text()))}
    assert {name: said for name, said in found.items() if name not in ALLOWED} == {}
    assert set(ALLOWED) <= set(found), "what no longer has a sentence needs no exception"


def test_no_other_module_puts_a_full_stop_behind_a_text():
    found = {name for name in MODULES if full_stops_in((ROOT / name).read_text())}
    assert found - set(ALLOWED) == PATHS


@pytest.mark.parametrize(
    ("code", "count"),
    [
        ('text = f"{name}."', 1),
        ('text = f"{one} {other}. "', 1),
        ('text = said + "."', 1),
        ('text = "." + said', 1),
        ('text += "."', 1),
        ('text = ". ".join(said)', 1),
        ('text = "".join([said, "."])', 1),
        ('path = ".".join(keys)', 0),
        ('parts = name.split(".")', 0),
        ('is_path = "." in name', 0),
        ('text = f"{number}.{digits}"', 0),
        ("text += more", 0),
    ],
)
def test_what_counts_as_a_full_stop(code, count):
    assert len(full_stops_in(code)) == count


@pytest.mark.parametrize(
    ("code", "count"),
    [
        ('text = f"{name} is best."', 1),
        ('text += " Of these, some fail. " + more', 1),
        ('def f():\n    """Say it."""\n    raise ValueError("It is wrong.")', 0),
        ('Table("a", "The arms.", (), ())', 0),
        ('Table("a", f"The {n} arms.", (), ())', 1),
        ('Column("place", "no.")', 0),
        ('path = f"{root}."', 0),
    ],
)
def test_what_counts_as_a_sentence(code, count):
    assert len(sentences_in(code)) == count


LINES = {
    "index.html": ["Ablation reports, the newest result first."],
    "macros.html": ["The first of rows;.csv has them all."],
    "page.html": [
        "On paper the study file and the numbers of each figure are left out; the page on a screen has them.",
        "Report of study, plan. The same results give the same page, byte for byte.",
    ],
    "sections/methods.html": ["All of them: arm-settings.csv."],
    "sections/networks.html": ["Every arm with each stage's convolutions and costs: CSV, Markdown, LaTeX."],
    "sections/trials.html": [
        "Words, or conditions such as. Columns:, id.; the line is the test error by epoch on a logarithmic scale.",
        "The first of trials; data/trials.csv has them all.",
    ],
}
"""Help, heads of tables, links to files, and one rule that holds for every page."""


def words_of(template: str) -> str:
    """Return the text of a template without its tags and without what Jinja puts in."""
    bare = re.sub(r"\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}|<(script|style).*?</\1>|<[^>]*>", " ", template, flags=re.S)
    return re.sub(r"\s+(?=[,.;])", "", bare)


def test_no_template_ends_a_sentence():
    templates = ROOT / "templates"
    said = {path.relative_to(templates).as_posix(): _lines(path.read_text()) for path in templates.rglob("*.html")}
    assert {name: lines for name, lines in said.items() if lines} == LINES


def _lines(template: str) -> list[str]:
    lines = (" ".join(line.split()) for line in words_of(template).split("\n"))
    return [line for line in lines if ENDS.search(line)]
