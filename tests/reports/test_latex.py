"""The LaTeX files, set by pdfLaTeX in three kinds of papers: they compile, and no line leaves its column."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from reports.latex import escape_latex
from reports.page import write_report
from tests.reports import searches, studies
from tests.reports.small import study

needs_latex = pytest.mark.skipif(
    shutil.which("pdflatex") is None,
    reason="no pdfLaTeX: apt-get install texlive-latex-extra texlive-fonts-recommended",
)
# A conference's style of our own: Times, two narrow columns, small captions.
CONFERENCE = r"""\documentclass[twocolumn,9pt]{extarticle}
\usepackage[paper=letterpaper,textwidth=6.75in,textheight=9in,columnsep=0.25in]{geometry}
\usepackage{mathptmx}
\usepackage[font=small,labelfont=bf]{caption}
"""
PAPERS = {
    "article": r"\documentclass{article}" + "\n",
    "two columns": r"\documentclass[twocolumn]{article}" + "\n",
    "conference": CONFERENCE,
}


def uneven():
    """Errors of two digits and arms with fewer seeds than others, of which each cell says its n."""
    means = {"original": 33.03, "plain": 60.72, "preact": 17.06, "scaled": 44.61}
    errors = {
        (depth, name): tuple(mean + depth / 10 + 4.1 * seed for seed in range(5 if name == "plain" else 8))
        for depth in (20, 56, 164)
        for name, mean in means.items()
    }
    return study(("depth", "variant"), errors, baseline={"variant": "original"}, fail_above=None)


STUDIES = {
    "uneven": uneven,
    "degradation": studies.degradation,
    "judged": studies.judged,
    "full_grid": studies.full_grid,
    "hostile": studies.hostile,
    "seven_factors": studies.seven_factors,
    "searched": searches.searched,
}


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("partial η²", r"partial $\eta$\textsuperscript{2}"),
        ("ω² ≈ λ", r"$\omega$\textsuperscript{2} $\approx$ $\lambda$"),
        ("ΔΑΒΛΩ", r"$\Delta$AB$\Lambda$$\Omega$"),
        ("a·b → c", r"a$\cdot$b $\rightarrow$ c"),
    ],
)
def test_the_symbols_that_a_page_uses_are_set(text, written):
    assert escape_latex(text) == written


def test_the_analysis_of_variance_names_its_effect_sizes(tmp_path):
    write_report(studies.full_grid(), tmp_path)
    assert "U+" not in (tmp_path / "tables/anova.tex").read_text()


def test_the_main_table_has_a_label_bold_differences_and_spans(tmp_path):
    write_report(studies.degradation(), tmp_path)
    text = (tmp_path / "tables/main.tex").read_text()
    for part in (
        r"\label{tab:main}",
        r"\textbf{1.94} & \textbf{0.40}",
        r"$-$3.52\rlap{*}",
        r"\multicolumn{3}{c}{depth 110}",
    ):
        assert part in text


def compiled(folder: Path, head: str, tables: list[Path]) -> str:
    body = "\n".join(rf"\input{{{path.as_posix()}}}" + "\n" + r"\clearpage" for path in tables)
    text = (
        head
        + r"\usepackage[T1]{fontenc}\usepackage{array,booktabs}"
        + "\n"
        + rf"\begin{{document}}{body}\end{{document}}"
    )
    (folder / "paper.tex").write_text(text, encoding="utf-8")
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "paper.tex"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, errors="replace", timeout=120)
    log = (folder / "paper.log").read_text(errors="replace")
    assert done.returncode == 0, log[-2000:]
    return log


@needs_latex
@pytest.mark.slow
@pytest.mark.parametrize("name", STUDIES)
def test_every_table_compiles_and_keeps_within_the_text(tmp_path, name):
    write_report(STUDIES[name](), tmp_path / "out")
    tables = sorted((tmp_path / "out/tables").glob("*.tex"))
    assert tables
    for kind, head in PAPERS.items():
        log = compiled(tmp_path, head, tables)
        wide = re.findall(r"Overfull \\hbox \(([\d.]+)pt too wide\)", log)
        assert not [each for each in wide if float(each) > 1], f"{kind}: {log[-3000:]}"
        assert "Float too large" not in log, kind


def test_a_power_of_ten_has_its_exponent_raised():
    raised = r"\textsuperscript{$-$}\textsuperscript{1}\textsuperscript{6}"
    assert escape_latex("1.11×10⁻¹⁶") == rf"1.11$\times$10{raised}"
