"""A residual unit as a drawing: the labels of its paths as data, and a block diagram for the terminal."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from search_spaces.factors import level_text
from search_spaces.wiring import CONVS, parse_wiring

LABELS = {"bn": "BN", "relu": "ReLU"}
_KERNELS = {"single": ("3×3",), "basic": ("3×3", "3×3"), "bottleneck": ("1×1", "3×3", "1×1")}


@dataclass(frozen=True)
class UnitDrawing:
    """What a picture of a residual unit shows, in words.

    `branch` lists the layers of the residual path from the input on, `shortcut` says what is done to the shortcut
    (None for a plain network), `merge` is ``add`` or ``concat``, and `after` lists the layers behind it.
    """

    branch: tuple[str, ...]
    shortcut: str | None
    merge: str
    after: tuple[str, ...]

    def text(self) -> str:
        """Return the block diagram for a terminal: the branch on the left, the shortcut on the right."""
        width = max(map(len, (*self.branch, *self.after))) // 2 * 2 + 3
        middle = width // 2
        lines = ["x".center(width).rstrip()]
        lines.append(_rule(width, middle, "┐") if self.shortcut else _stroke(middle))
        for number, label in enumerate(self.branch):
            note = f"  {self.shortcut}" if self.shortcut and number == len(self.branch) // 2 else ""
            rail = " │" + note if self.shortcut else ""
            lines.append((label.center(width) + rail).rstrip())
        sign = "+" if self.merge == "add" else "concat"
        lines.append(_rule(width, middle, "┘", f" {sign} ") if self.shortcut else _stroke(middle))
        lines += [label.center(width).rstrip() for label in self.after]
        lines.append(_stroke(middle))
        return "\n".join(lines)


def draw_unit(settings: Mapping[str, Any]) -> UnitDrawing:
    """Return the drawing of a residual family's completed settings."""
    wiring = parse_wiring(settings["activation"], CONVS[settings["block"]])
    kernels = iter(_KERNELS[settings["block"]])
    branch = tuple(f"{next(kernels)} conv" if token == "conv" else LABELS[token] for token in wiring.branch)
    after = tuple(LABELS[token] for token in wiring.after)
    op = settings["shortcut"]["op"]
    return UnitDrawing(branch, None if op == "none" else shortcut_text(settings["shortcut"]), wiring.merge, after)


def shortcut_text(shortcut: Mapping[str, Any]) -> str:
    """Return a completed shortcut's name with its arguments: ``scale (shortcut 0.5, residual 1)``."""
    arguments = ", ".join(f"{key} {_value(value)}" for key, value in shortcut.items() if key != "op")
    return f"{shortcut['op']} ({arguments})" if arguments else str(shortcut["op"])


def _value(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else level_text(value)


def _stroke(middle: int) -> str:
    return " " * middle + "│"


def _rule(width: int, middle: int, right: str, sign: str = "") -> str:
    return " " * middle + "├" + sign.center(width - middle, "─") + right
