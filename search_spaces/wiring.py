"""The block grammar: a residual unit as one line of text, the named placements written in it, and what follows from it.

A wiring reads ``branch | merge | after``, for instance ``conv bn relu conv bn | add | relu``. The branch holds the
unit's convolutions in their order with ``bn`` and ``relu`` anywhere around them, the merge is ``add`` or ``concat``,
and after it come any ``bn`` and ``relu`` that act on the merged signal.
"""

from dataclasses import dataclass
from functools import cached_property

from search_spaces.errors import SettingError, unknown

TOKENS = ("conv", "bn", "relu")
MERGES = ("add", "concat")
Tokens = tuple[str, ...]

# The convolutions of a block's branch, and its output channels as a multiple of those inside the branch.
CONVS = {"single": 1, "basic": 2, "bottleneck": 3}
EXPANSION = {"single": 1, "basic": 1, "bottleneck": 4}


@dataclass(frozen=True)
class Wiring:
    """A residual unit: the tokens of its branch, how branch and shortcut meet, and the tokens after that."""

    branch: Tokens
    merge: str
    after: Tokens

    @cached_property
    def text(self) -> str:
        """The wiring as one line, with single spaces."""
        return " ".join([*self.branch, "|", self.merge, "|", *self.after])

    @cached_property
    def convs(self) -> int:
        """How many convolutions the branch has."""
        return self.branch.count("conv")

    @cached_property
    def lead(self) -> Tokens:
        """The activation in front of the branch's first convolution; empty for post-activation units."""
        return self.branch[: self.branch.index("conv")]

    @cached_property
    def body(self) -> Tokens:
        """The branch without its lead: what remains of it where the lead stands before the split."""
        return self.branch[len(self.lead) :]

    @cached_property
    def stem(self) -> Tokens:
        """What follows the network's first convolution.

        arXiv:1603.05027, appendix: the first unit's activation stands right after conv1, before the split, so here is
        the lead. A convolution whose batch normalisation the lead does not bring has its own, and a unit without a
        lead expects an activated signal: the stem is then ``bn relu``.
        """
        if not self.lead:
            return ("bn", "relu")
        return self.lead if "bn" in self.lead else ("bn", *self.lead)

    @cached_property
    def tail(self) -> Tokens:
        """What follows the last unit (same appendix): the activation that a next unit would begin with."""
        return self.lead

    @cached_property
    def ends_normalised(self) -> bool:
        """Whether batch normalisation follows the branch's last convolution; it then follows a projection too."""
        last = len(self.branch) - 1 - self.branch[::-1].index("conv")
        return self.branch[last + 1 : last + 2] == ("bn",)


def _original(convs: int) -> str:
    return " relu ".join(["conv bn"] * convs) + " | add | relu"


def _bn_after_add(convs: int) -> str:
    return "conv bn relu " * (convs - 1) + "conv | add | bn relu"


def _relu_before_add(convs: int) -> str:
    return "conv bn relu " * convs + "| add |"


def _relu_only_preact(convs: int) -> str:
    return "relu conv bn " * convs + "| add |"


def _full_preact(convs: int) -> str:
    return "bn relu conv " * convs + "| add |"


# arXiv:1603.05027, figure 4 (a) to (e), for any number of convolutions.
PLACEMENTS = {
    "original": _original,
    "bn_after_add": _bn_after_add,
    "relu_before_add": _relu_before_add,
    "relu_only_preact": _relu_only_preact,
    "full_preact": _full_preact,
}


def parse_wiring(text: str, convs: int) -> Wiring:
    """Return the wiring that `text` names or spells, for a unit of `convs` convolutions.

    Raises SettingError with the position (counted in words from 1, bars too) and the reason.
    """
    if text.strip() in PLACEMENTS:
        return _parse(PLACEMENTS[text.strip()](convs))
    if "|" not in text and len(text.split()) <= 1:
        raise unknown("placement", text, PLACEMENTS)
    wiring = _parse(text)
    if wiring.convs != convs:
        raise SettingError(f'"{wiring.text}" has {_count(wiring.convs)}; this block needs {convs}')
    return wiring


def wiring_name(wiring: Wiring) -> str:
    """Return the placement's name where the wiring is a named one, else its text."""
    for name, spell in PLACEMENTS.items():
        if _parse(spell(wiring.convs)) == wiring:
            return name
    return wiring.text


def _parse(text: str) -> Wiring:
    words = text.replace("|", " | ").split()
    bars = [position for position, word in enumerate(words) if word == "|"]
    if len(bars) != 2:
        raise SettingError(f'a wiring has three parts, "branch | add | after", with two bars; "{text}" has {len(bars)}')
    branch, merge, after = words[: bars[0]], words[bars[0] + 1 : bars[1]], words[bars[1] + 1 :]
    if len(merge) != 1:
        raise SettingError(f"between the bars stands one word, add or concat, not {' '.join(merge) or 'nothing'}")
    if merge[0] not in MERGES:
        raise unknown(f"merge at word {bars[0] + 2}", merge[0], MERGES)
    _check_tokens(branch, 1, TOKENS, "the branch")
    _check_tokens(after, bars[1] + 2, TOKENS[1:], "the part after the merge")
    if "conv" not in branch:
        raise SettingError(f'the branch of "{text}" has no conv')
    if "relu" not in (*branch, *after):
        raise SettingError(f'"{text}" has no relu: the unit would be linear')
    return Wiring(tuple(branch), merge[0], tuple(after))


def _check_tokens(words: list[str], first: int, known: Tokens, part: str) -> None:
    for position, word in enumerate(words, start=first):
        if word == "conv" and word not in known:
            raise SettingError(f"word {position}: conv cannot stand in {part}, only {' and '.join(known)}")
        if word not in known:
            raise unknown(f"word {position} of the wiring", word, known)
        if position > first and word == words[position - first - 1] and word != "conv":
            raise SettingError(f"word {position}: {word} right after {word} changes nothing")


def _count(convs: int) -> str:
    return f"{convs} convolution" + ("" if convs == 1 else "s")
