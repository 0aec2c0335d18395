"""What a picture of a unit shows, as data, and the block diagram that a terminal can show of it.

Whoever draws a unit draws it from here: the terminal below, the report and its SVG files in `reports.figures.units`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from search_spaces.factors import level_text

LABELS = {"bn": "BN", "relu": "ReLU"}
Layers = tuple[str, ...]


@dataclass(frozen=True)
class ShortcutDrawing:
    """What an operation puts on the two paths of a unit.

    `layers` stand on the shortcut, in order. The factors are what the signals are multiplied by before they meet, empty
    for nothing. `gate` are the layers that make the factor called `gate_name` out of the unit's input.
    """

    layers: Layers = ()
    shortcut_factor: str = ""
    residual_factor: str = ""
    gate: Layers = ()
    gate_name: str = "g"

    def sentence(self) -> str:
        """Put the paths in words: ``shortcut: times 1 − g; residual: times g; g: 1×1 conv, sigmoid of the input``."""
        on_shortcut = [*self.layers, *_times(self.shortcut_factor)]
        parts = [f"shortcut: {', '.join(on_shortcut) or 'identity'}"]
        parts += [f"residual: {each}" for each in _times(self.residual_factor)]
        parts += [f"{self.gate_name}: {', '.join(self.gate)} of the input"] if self.gate else []
        return "; ".join(parts)


@dataclass(frozen=True)
class UnitDrawing:
    """The unit that a network repeats, as a picture shows it.

    `before` lists the layers in front of the split, `branch` those of the residual path, `after` those behind the
    merge, which is ``add`` or ``concat``. `shortcut` is None where there is none, and `note` says in words what it is.
    """

    branch: Layers
    before: Layers = ()
    shortcut: ShortcutDrawing | None = None
    merge: str = "add"
    after: Layers = ()
    note: str = ""

    @classmethod
    def from_mapping(cls, mapping: Mapping[str, Any]) -> "UnitDrawing":
        """Return the drawing that `dataclasses.asdict` took apart; lists may stand for tuples, as JSON has them."""
        own, shortcut = _with_tuples(mapping), mapping["shortcut"]
        return cls(**{**own, "shortcut": shortcut and ShortcutDrawing(**_with_tuples(shortcut))})

    def sentence(self) -> str:
        """Put the picture in words, for those who cannot see it."""
        if self.shortcut is None:
            return f"{', '.join((*self.before, *self.branch, *self.after))}; no shortcut."
        parts = [f"before the split: {', '.join(self.before)}"] if self.before else []
        parts += [f"branch: {', '.join(self.branch)}", self.shortcut.sentence()]
        parts.append({"add": "addition", "concat": "concatenation"}[self.merge])
        parts += [f"then {', '.join(self.after)}"] if self.after else []
        return f"{'; '.join(parts)}."

    def text(self) -> str:
        """Return the block diagram for a terminal: the branch on the left, the shortcut on the right."""
        factor = f"× {self.shortcut.residual_factor}" if self.shortcut else ""
        merge = "" if self.merge == "add" else f"{self.merge} " * 2
        width = max(map(len, (*self.before, *self.branch, factor, merge, *self.after))) // 2 * 2 + 3
        stroke = " " * (width // 2) + "│"
        lines = ["x".center(width), *(each.center(width) for each in self.before)]
        if self.shortcut is None:
            lines += [stroke, *(each.center(width) for each in self.branch), *([stroke] if self.after else [])]
        else:
            lines += self._two_paths(self.shortcut, width)
        return "\n".join(line.rstrip() for line in (*lines, *(each.center(width) for each in self.after), stroke))

    def _two_paths(self, drawn: ShortcutDrawing, width: int) -> list[str]:
        """Return the lines from split to merge, with what the shortcut is beside their middle."""
        rows = [(each, "│") for each in self.branch]
        if drawn.residual_factor or drawn.shortcut_factor:
            on_branch = f"× {drawn.residual_factor}" if drawn.residual_factor else "│"
            rows.append((on_branch, f"× {drawn.shortcut_factor}" if drawn.shortcut_factor else "│"))
        notes = [self.note, *([f"{drawn.gate_name} = {', '.join(drawn.gate)} of x"] if drawn.gate else [])]
        rows += [("│", "│")] * (len(notes) - len(rows))
        first = min(len(self.branch) // 2, max(0, len(self.branch) - len(notes)))
        for at, note in enumerate(notes, start=first):
            rows[at] = (rows[at][0], f"{rows[at][1]}  {note}")
        merge = {"add": " + ", "concat": " concat "}[self.merge]
        rule = " " * (width // 2) + "├"
        split, join = (rule + sign.center(width - width // 2, "─") for sign in ("", merge))
        return [f"{split}┐", *(f"{left.center(width)} {right}" for left, right in rows), f"{join}┘"]


def shortcut_text(shortcut: Mapping[str, Any]) -> str:
    """Return a completed shortcut's name with its arguments: ``scale (shortcut 0.5, residual 1)``."""
    arguments = ", ".join(f"{key} {_value(value)}" for key, value in shortcut.items() if key != "op")
    return f"{shortcut['op']} ({arguments})" if arguments else str(shortcut["op"])


def _value(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else level_text(value)


def _with_tuples(mapping: Mapping[str, Any]) -> dict[str, Any]:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in mapping.items()}


def _times(factor: str) -> list[str]:
    return [f"times {factor}"] if factor else []
