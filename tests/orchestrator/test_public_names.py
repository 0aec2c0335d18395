"""What a notebook sees of the package."""

import orchestrator


def test_the_public_names_are_listed_and_importable():
    assert dir(orchestrator) == sorted(orchestrator.__all__)
    for name in orchestrator.__all__:
        assert getattr(orchestrator, name).__module__.startswith("orchestrator.")
