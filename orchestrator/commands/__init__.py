"""The sub-commands of `orchestrate`: each reads its words, calls one function, and prints what came of it."""
