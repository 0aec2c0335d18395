"""What a pair is: facts of which the sentence is true, words of it, and facts of which these words must not be said."""

from collections.abc import Callable, Mapping

Made = Callable[[], object]
"""Returns what a sentence is said of; a tuple where it takes several things."""
Pairs = Mapping[str, tuple[Made, str, Made]]
