"""The space of wirings: every valid residual unit of the grammar, in order or drawn at random."""

from collections.abc import Iterator
from itertools import product
from random import Random

from search_spaces.wiring import MERGES, Tokens, Wiring

# What may stand in front of a convolution, behind the last one, and behind the merge.
SLOT: tuple[Tokens, ...] = ((), ("bn",), ("relu",), ("bn", "relu"), ("relu", "bn"))


def wirings(convs: int, merges: Tokens = MERGES) -> Iterator[Wiring]:
    """Yield every wiring of `convs` convolutions with at most one bn and one relu in each slot, and a relu somewhere.

    With 1 convolution there are 117 for each merge, with 2 there are 609, with 3 there are 3,093.
    """
    for merge in merges:
        for slots in product(SLOT, repeat=convs + 2):
            wiring = _wiring(slots, merge)
            if wiring is not None:
                yield wiring


def sample_wirings(convs: int, count: int, seed: int = 0, merges: Tokens = MERGES) -> list[Wiring]:
    """Return `count` different wirings drawn uniformly with `seed`; ValueError when there are not so many."""
    size = len(merges) * (len(SLOT) ** (convs + 2) - 2 ** (convs + 2))
    if not 0 <= count <= size:
        raise ValueError(f"there are {size} wirings of {convs} convolutions, not {count}")
    generator = Random(seed)
    drawn: dict[str, Wiring] = {}
    while len(drawn) < count:
        slots = tuple(generator.choice(SLOT) for _ in range(convs + 2))
        wiring = _wiring(slots, generator.choice(merges))
        if wiring is not None:
            drawn.setdefault(wiring.text, wiring)
    return list(drawn.values())


def _wiring(slots: tuple[Tokens, ...], merge: str) -> Wiring | None:
    if not any("relu" in slot for slot in slots):
        return None
    *before, behind, after = slots
    branch = tuple(token for slot in before for token in (*slot, "conv"))
    return Wiring((*branch, *behind), merge, after)
