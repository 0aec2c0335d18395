"""For each sentence of the page by its name: what it is said of, words of it, and what it must not be said of."""
