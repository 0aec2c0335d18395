"""A badge for a README: how many claims of a study are supported, refuted and open, as a small SVG file."""

from collections.abc import Sequence

from reports.analysis.judged import Conclusion
from reports.analysis.verdicts import Verdict
from reports.wording import counted

_LETTER = 6.6
_COLOURS = {Conclusion.REFUTED: "#a3261d", Conclusion.INCONCLUSIVE: "#5b5b60", Conclusion.SUPPORTED: "#00694c"}


def badge(verdicts: Sequence[Verdict]) -> str:
    """Return the badge; its colour is that of the worst verdict, refuted before open before supported."""
    counts = {outcome: sum(each.verdict is outcome for each in verdicts) for outcome in Conclusion}
    words = {Conclusion.SUPPORTED: "supported", Conclusion.REFUTED: "refuted", Conclusion.INCONCLUSIVE: "open"}
    label = counted(len(verdicts), "claim") if verdicts else "claims"
    text = (
        ", ".join(f"{counts[outcome]} {word}" for outcome, word in words.items() if counts[outcome]) or "none declared"
    )
    worst = next((outcome for outcome in _COLOURS if counts[outcome]), Conclusion.INCONCLUSIVE)
    left, right = (round(16 + _LETTER * len(each)) for each in (label, text))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{left + right}" height="20" role="img" '
        f'aria-label="{label}: {text}"><title>{label}: {text}</title>'
        f'<rect width="{left}" height="20" fill="#35373e"/>'
        f'<rect x="{left}" width="{right}" height="20" fill="{_COLOURS[worst]}"/>'
        '<g fill="#ffffff" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11" text-anchor="middle">'
        f'<text x="{left / 2:g}" y="14">{label}</text><text x="{left + right / 2:g}" y="14">{text}</text></g></svg>\n'
    )
