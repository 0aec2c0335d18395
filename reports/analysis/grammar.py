"""The language of claims: what `says` and `where` may contain, read once, with errors that name the position.

    says    = operand ("<" | ">" | "==") (operand | number)
            | operand "fails"
            | "effect" "(" operand "," operand ")" ("increases" | "decreases") "with" factor
    operand = term {("and" | "@") term}
    term    = factor "=" level | level
    where   = factor ("==" | "!=" | "<" | "<=" | ">" | ">=") level {("and" | ",") ...}

`effect(a, b)` is the lead of a over b: how much less a errs. It is compared at the factor's least and greatest level.
A level stands without its factor when only one factor has it. Names with signs or blanks may stand in quotes.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from reports.trials import Scalar
from search_spaces.errors import SettingError, unknown

Factors = Mapping[str, Sequence[Scalar]]
Pins = Mapping[str, Scalar]

SHOWN_AROUND = 100
"""How many characters of a long text a message shows on either side of what is wrong."""

_SIGN = re.compile(r"==|!=|<=|>=|&&|[<>=@(),]")
_WORD = re.compile(r"[^\s<>=@(),&!\"']+")
_QUOTED = re.compile(r"\"([^\"]*)\"|'([^']*)'")
_BOOLEANS = {True: ("true", "yes", "on"), False: ("false", "no", "off")}  # as YAML 1.1 reads them
_ORDERED: dict[str, Callable[[float, float], bool]] = {
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}


@dataclass(frozen=True)
class Statement:
    """What a claim says. `relation` is "<", ">", "==", "fails", "increases" or "decreases".

    `left` and `right` give the levels that each side fixes, the same factors on both; `right` is None for "fails" and
    for a comparison with the number `value`. `along` is the factor of "increases with".
    """

    relation: str
    left: Pins
    right: Pins | None = None
    value: float | None = None
    along: str | None = None


def opposite(statement: Statement) -> Statement:
    """Return the statement of the opposite direction: a > b of a < b."""
    turned = {"<": ">", ">": "<", "increases": "decreases", "decreases": "increases"}
    return replace(statement, relation=turned.get(statement.relation, statement.relation))


@dataclass(frozen=True)
class LevelFilter:
    """One comparison of a `where`."""

    factor: str
    sign: str
    level: Scalar

    def holds(self, level: Scalar) -> bool:
        """Whether a level of the factor meets the condition."""
        if self.sign in _ORDERED:
            return _ORDERED[self.sign](float(level), float(self.level))
        return (level == self.level) == (self.sign == "==")


@dataclass(frozen=True)
class Token:
    """A piece of the text and the place where it starts; `sign` for operators, `quoted` for names in quotes."""

    text: str
    start: int
    sign: bool = False
    quoted: bool = False


def parse_says(text: str, factors: Factors) -> Statement:
    """Read the sentence of a claim; SettingError with the position and what would be right."""
    return _Reader(text, factors, "says").statement()


def parse_where(text: str, factors: Factors) -> tuple[LevelFilter, ...]:
    """Read a conjunction of comparisons; SettingError with the position and what would be right."""
    return _Reader(text, factors, "where").conditions()


def is_number(level: Scalar) -> bool:
    """Whether a level can be put in order: an int or a float, not a bool."""
    return isinstance(level, int | float) and not isinstance(level, bool)


class _Reader:
    """Reads one text from left to right."""

    def __init__(self, text: str, factors: Factors, key: str) -> None:
        self.text = text
        self.factors = factors
        self.key = key
        names = {_spelled(level) for levels in factors.values() for level in levels} | set(factors)
        self.names = sorted(names, key=len, reverse=True)
        self.tokens = self._split()
        self.place = 0

    def _split(self) -> list[Token]:
        tokens, place = [], 0
        while place < len(self.text):
            if self.text[place].isspace():
                place += 1
                continue
            token, place = self._next(place)
            tokens.append(token)
        return tokens

    def _next(self, place: int) -> tuple[Token, int]:
        if match := _QUOTED.match(self.text, place):
            return Token(match[1] if match[1] is not None else match[2], place, quoted=True), match.end()
        for name in self.names:
            end = place + len(name)
            if name and self.text.startswith(name, place) and not _goes_on(self.text, end):
                return Token(name, place), end
        if match := _SIGN.match(self.text, place):
            return Token(match[0], place, sign=True), match.end()
        if match := _WORD.match(self.text, place):
            return Token(match[0], place), match.end()
        raise self._error(f'"{self.text[place]}" has no meaning here', place)

    def _error(self, message: str, start: int | None = None) -> SettingError:
        place = len(self.text) if start is None else start
        return SettingError(f'at position {place + 1} of "{_around(self.text, place)}": {message}', (self.key,))

    def _at(self, *texts: str) -> bool:
        token = self._peek()
        return token is not None and not token.quoted and token.text in texts

    def _peek(self) -> Token | None:
        return self.tokens[self.place] if self.place < len(self.tokens) else None

    def _start(self) -> int | None:
        token = self._peek()
        return token.start if token else None

    def _take(self, wanted: str) -> Token:
        token = self._peek()
        if token is None:
            raise self._error(f"the sentence ends where {wanted} should stand")
        self.place += 1
        return token

    def _expect(self, text: str, wanted: str) -> None:
        token = self._take(wanted)
        if token.quoted or token.text != text:
            raise self._error(f'{wanted} should stand here, not "{token.text}"', token.start)

    def _end(self) -> None:
        token = self._peek()
        if token is not None:
            raise self._error(f'nothing may follow here, yet there is "{token.text}"', token.start)

    def statement(self) -> Statement:
        following = self.tokens[1].text if len(self.tokens) > 1 else ""
        if self._at("effect") and following == "(":
            return self._trend()
        left = self._operand()
        relation = self._take('"<", ">", "==" or "fails"')
        if relation.text == "fails" and not relation.quoted:
            self._end()
            return Statement("fails", left)
        if not relation.sign or relation.text not in ("<", ">", "=="):
            raise self._error(_wrong_relation(relation.text), relation.start)
        value = self._value(left)
        if value is not None:
            return Statement(relation.text, left, value=value)
        start = self._start()
        right = self._operand()
        self._end()
        return self._both(relation.text, left, right, start)

    def _both(self, relation: str, left: Pins, right: Pins, start: int | None, along: str | None = None) -> Statement:
        """Let a factor that only one side names hold on both sides."""
        full_left, full_right = {**right, **left}, {**left, **right}
        if full_left == full_right:
            raise self._error("both sides name the same arms", start)
        return Statement(relation, full_left, full_right, along=along)

    def _trend(self) -> Statement:
        self.place = 2
        left = self._operand()
        self._expect(",", '"," and the second arm of the effect')
        start = self._start()
        right = self._operand()
        self._expect(")", '")"')
        relation = self._take('"increases" or "decreases"')
        if relation.text not in ("increases", "decreases"):
            raise self._error(f'"increases" or "decreases" should stand here, not "{relation.text}"', relation.start)
        self._expect("with", '"with" and a factor')
        along = self._take("a factor with numbers for levels")
        if along.text not in self.factors:
            raise self._unknown("factor", along, self.factors)
        if not all(is_number(level) for level in self.factors[along.text]) or len(self.factors[along.text]) < 2:
            raise self._error(f"an effect can only grow along numbers, and {along.text} has other levels", along.start)
        self._end()
        made = self._both(relation.text, left, right, start, along.text)
        if along.text in made.left:
            raise self._error(f"the effect already fixes {along.text}", along.start)
        return made

    def _value(self, left: Pins) -> float | None:
        """Return the number at the end of the sentence, unless it is a level of the only factor on the left."""
        token = self._peek()
        if token is None or token.quoted or self.place != len(self.tokens) - 1:
            return None
        number = _number(token.text)
        only = next(iter(left)) if len(left) == 1 else None
        if number is None or (only is not None and _level(token.text, self.factors[only]) is not None):
            return None
        self.place += 1
        return number

    def _operand(self) -> Pins:
        pins: dict[str, Scalar] = {}
        while True:
            start = self._start()
            factor, level = self._term()
            if factor in pins and pins[factor] != level:
                raise self._error(f"{factor} is {pins[factor]} already", start)
            pins[factor] = level
            if not self._at("and", "@", "&&"):
                return pins
            self.place += 1

    def _term(self) -> tuple[str, Scalar]:
        token = self._take("a level, or factor=level,")
        if token.sign:
            raise self._error(f'a level, or factor=level, should stand here, not "{token.text}"', token.start)
        owners = [factor for factor, levels in self.factors.items() if _level(token.text, levels) is not None]
        is_factor = token.text in self.factors and not token.quoted
        if is_factor and (self._at("=") or (self._at("==") and not owners)):
            self.place += 1
            return token.text, self._level_of(token.text)
        if len(owners) > 1:
            options = " or ".join(f"{factor}={token.text}" for factor in owners)
            raise self._error(f'"{token.text}" is a level of {" and of ".join(owners)}: write {options}', token.start)
        if owners:
            return owners[0], _found(token.text, self.factors[owners[0]])
        if is_factor:
            example = f"{token.text}={_spelled(self.factors[token.text][0])}"
            raise self._error(f'"{token.text}" is a factor: name a level of it, for instance {example}', token.start)
        if self._at("=", "=="):
            raise self._unknown("factor", token, self.factors)
        raise self._unknown("level", token, [_spelled(each) for levels in self.factors.values() for each in levels])

    def _level_of(self, factor: str) -> Scalar:
        token = self._take(f"a level of {factor}")
        level = _level(token.text, self.factors[factor])
        if level is None:
            raise self._unknown(f"level of {factor}", token, map(_spelled, self.factors[factor]))
        return level

    def _unknown(self, kind: str, token: Token, known: Iterable[object]) -> SettingError:
        return self._error(unknown(kind, token.text, known).message, token.start)

    def conditions(self) -> tuple[LevelFilter, ...]:
        conditions = [self._condition()]
        while self._at("and", ",", "&&"):
            self.place += 1
            conditions.append(self._condition())
        self._end()
        return tuple(conditions)

    def _condition(self) -> LevelFilter:
        factor = self._take("a factor")
        if factor.text not in self.factors:
            raise self._unknown("factor", factor, self.factors)
        sign = self._take('"==", "!=", "<", "<=", ">" or ">="')
        if not sign.sign or sign.text not in (*_ORDERED, "==", "=", "!="):
            raise self._error(f'"==", "!=", "<", "<=", ">" or ">=" should stand here, not "{sign.text}"', sign.start)
        levels = self.factors[factor.text]
        if sign.text not in _ORDERED:
            return LevelFilter(factor.text, "!=" if sign.text == "!=" else "==", self._level_of(factor.text))
        if not all(map(is_number, levels)):
            raise self._error(f'the levels of {factor.text} are names: use "==" or "!="', sign.start)
        bound = self._take("a number")
        number = _number(bound.text)
        if number is None:
            raise self._error(f'a number should stand here, not "{bound.text}"', bound.start)
        return LevelFilter(factor.text, sign.text, number)


def _wrong_relation(text: str) -> str:
    if text in ("<=", ">="):
        return f'"{text[0]}" should stand here, not "{text}": `by` says by how much'
    if text in ("=", "!="):
        return f'"==" should stand here, not "{text}": `within` says how far apart they may be'
    return f'"<", ">", "==" or "fails" should stand here, not "{text}"'


def _around(text: str, place: int) -> str:
    """Return a text as a message shows it: of a long one, what stands around that place."""
    if len(text) <= 2 * SHOWN_AROUND:
        return text
    start, end = max(place - SHOWN_AROUND, 0), place + SHOWN_AROUND
    return f"{'...' if start else ''}{text[start:end]}{'...' if end < len(text) else ''}"


def _goes_on(text: str, end: int) -> bool:
    return end < len(text) and (text[end].isalnum() or text[end] in "_.-+")


def _spelled(level: Scalar) -> str:
    return str(level).lower() if isinstance(level, bool) else str(level)


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if abs(number) < float("inf") else None


def _level(text: str, levels: Sequence[Scalar]) -> Scalar | None:
    """Return the level that `text` spells; numbers are compared as numbers, so that 0.10 finds 0.1."""
    for level in levels:
        if _spelled(level) == text or (isinstance(level, bool) and text.lower() in _BOOLEANS[level]):
            return level
    number = _number(text)
    if number is not None:
        for level in levels:
            if is_number(level) and float(level) == number:
                return level
    return None


def _found(text: str, levels: Sequence[Scalar]) -> Scalar:
    level = _level(text, levels)
    assert level is not None
    return level
