"""The study file: YAML in, typed objects out, and every mistake named with its line."""
