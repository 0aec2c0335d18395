"""Numbers and lists as a reader of the page expects them: typographic minus, units, plurals."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime

from reports.trials import Scalar

MINUS = "\N{MINUS SIGN}"
NOTHING = "\N{EN DASH}"
_SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_PICTURES = {code: 0x2400 + code for code in range(32) if chr(code) not in "\t\n\r"} | {0x7F: 0x2421}


def number(value: float | None, digits: int = 2) -> str:
    """Return `value` with fixed decimals and a typographic minus; a dash for None."""
    if value is None:
        return NOTHING
    text = f"{value:.{digits}f}"
    if float(text) == 0:
        text = text.lstrip("-")
    return text.replace("-", MINUS)


def p_in_words(p: float) -> str:
    """Return a p in four decimals; a smaller one is below the least of them."""
    return "<0.0001" if p < 0.0001 else number(p, 4)


def significant(value: float, digits: int = 6) -> str:
    """Return a number in so many significant digits: plain, or with a power of ten where that would be long."""
    return numbers_alike([float(f"{value:.{digits}g}")], below=1e6)[0]


def numbers_alike(values: Sequence[float], below: float = 1e5) -> list[str]:
    """Return the numbers of one axis as text: plain, or all with a power of ten where one is long or not `below`."""
    if all(1e-4 <= abs(value) < below for value in values if value):
        return [f"{value:g}".replace("-", MINUS) for value in values]
    return [_with_power(value).replace("-", MINUS) for value in values]


def _with_power(value: float) -> str:
    if not value:
        return "0"
    digits, _, power = f"{value:.5e}".partition("e")
    exponent = str(int(power)).translate(_SUPERSCRIPT)
    return f"10{exponent}" if float(digits) == 1 else f"{float(digits):g}×10{exponent}"


def signed(value: float | None, digits: int = 2) -> str:
    """Return a difference, with its sign in front even when it is positive."""
    text = number(value, digits)
    return f"+{text}" if value is not None and float(f"{value:.{digits}f}") > 0 else text


def percent(share: float) -> str:
    """Return a share as "2.5 %"."""
    return f"{100 * share:g} %"


def bracketed(low: float | None, high: float | None, words: Callable[[float], str] = number) -> str:
    """Return an interval in brackets, an open end as infinity; empty where both ends are open."""
    if low is None and high is None:
        return ""
    return f"[{f'{MINUS}∞' if low is None else words(low)}, {'∞' if high is None else words(high)}]"


def magnitude(value: float | None) -> str:
    """Return a count or a measure in three significant digits, with k, M, G or T: 1.73 M."""
    if value is None:
        return NOTHING
    for unit, size in (("T", 1e12), ("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if abs(value) >= 0.9995 * size:
            scaled = value / size
            return f"{scaled:.{max(0, 3 - len(str(int(round(abs(scaled), 9)))))}f}\N{NO-BREAK SPACE}{unit}"
    return f"{value:.3g}" if value % 1 else f"{value:g}"


AMOUNT_FROM = 10_000
"""From here on a number is told in three significant digits."""


def amount(value: float | None) -> str:
    """Return a value of any metric: with two decimals, a large one in three significant digits."""
    if value is None or abs(value) < AMOUNT_FROM:
        return number(value)
    return magnitude(value).replace("-", MINUS)


def signed_amount(value: float | None) -> str:
    """Return a difference of two values of any metric, with its sign in front even when it is positive."""
    if value is None or abs(value) < AMOUNT_FROM:
        return signed(value)
    return f"{'+' if value > 0 else ''}{amount(value)}"


def margin_in_words(margin: float) -> str:
    """Return a margin as the study file has it, a large one in three significant digits."""
    return f"{margin:g}" if margin < AMOUNT_FROM else amount(margin)


def duration(seconds: float | None) -> str:
    """Return a time in its two largest units: 3 min 20 s."""
    if seconds is None:
        return NOTHING
    if seconds < 9.95:
        return f"{seconds:.1f}\N{NO-BREAK SPACE}s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole}\N{NO-BREAK SPACE}s"
    if whole < 3600:
        parts = (whole // 60, "min", whole % 60, "s")
    elif whole < 48 * 3600:
        parts = (whole // 3600, "h", whole % 3600 // 60, "min")
    else:
        parts = (whole // 86400, "d", whole % 86400 // 3600, "h")
    text = f"{parts[0]} {parts[1]}" + (f" {parts[2]} {parts[3]}" if parts[2] else "")
    return text.replace(" ", "\N{NO-BREAK SPACE}")


def counted(count: float, noun: str, plural: str | None = None) -> str:
    """Return a number with its noun: 1 seed, 3 seeds, 10,000 trials, 0.5 CPUs."""
    text = f"{int(count):,}" if count == int(count) else f"{count:g}"
    return f"{text} {noun if count == 1 else plural or noun + 's'}"


def listed(items: Iterable[object], most: int = 8) -> str:
    """Return "a, b and c", or "a, b; c; and d" where items have commas; beyond `most` items the rest is counted."""
    texts = [str(item) for item in items]
    if len(texts) > most:
        texts = [*texts[: most - 1], f"{len(texts) - most + 1:,} more"]
    if len(texts) < 2:
        return "".join(texts)
    has_commas = any(", " in re.sub(r"\([^()]*\)", "", text) for text in texts)
    between, before_last = ("; ", "; and ") if has_commas else (", ", " and ")
    return before_last.join((between.join(texts[:-1]), texts[-1]))


def level(value: Scalar) -> str:
    """Return a level of a factor as the study file writes it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value:g}" if isinstance(value, float) else str(value)


def level_owners(factors: Mapping[str, Iterable[Scalar]]) -> Counter[str]:
    """Count for each level, as the study file writes it, the factors that have it."""
    return Counter(text for levels in factors.values() for text in {level(each) for each in levels})


def levels_in_words(levels: Mapping[str, Scalar], owners: Mapping[str, int], numbers_after: str = ", ") -> str:
    """Return levels as one name, "preact, depth 110": a word stands alone where only one factor owns it.

    `numbers_after` stands between the words and the levels that are told with their factor.
    """
    words: list[str] = []
    numbers: list[str] = []
    for factor, value in levels.items():
        text = level(value)
        is_word = isinstance(value, str) and owners[text] == 1 and text[:1].isalpha()
        (words if is_word else numbers).append(text if is_word else f"{factor} {text}")
    return numbers_after.join(filter(None, (", ".join(words), ", ".join(numbers))))


def moment(when: datetime | None) -> str:
    """Return a moment in UTC, to the minute."""
    return NOTHING if when is None else when.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")


def seeds(values: Iterable[int]) -> str:
    """Return seeds in ascending order, runs of them shortened: 0-4, 7."""
    runs: list[list[int]] = []
    for value in sorted(set(values)):
        if runs and value == runs[-1][1] + 1:
            runs[-1][1] = value
        else:
            runs.append([value, value])
    texts = [
        str(first) if first == last else f"{first}{'–' if last - first > 1 else ', '}{last}" for first, last in runs
    ]
    return ", ".join(texts) or NOTHING


def shortened(text: str, most: int = 60) -> str:
    """Return `text` without control characters or line breaks, at most `most` characters long."""
    clean = " ".join("".join(each if each.isprintable() else " " for each in text).split())
    return clean if len(clean) <= most else clean[: most - 1] + "…"


def drawn_controls(text: str) -> str:
    """Return `text` with its control characters as their pictures (U+2400 and on), tabs and line breaks as they are.

    XML has no place for them, a NUL ends a text for most readers, and an escape can change a terminal.
    """
    return text.translate(_PICTURES)
