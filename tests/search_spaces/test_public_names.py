import subprocess
import sys

import search_spaces


def test_every_public_name_is_there():
    for name in search_spaces.__all__:
        assert getattr(search_spaces, name) is not None


def test_an_unknown_name_is_an_attribute_error():
    assert not hasattr(search_spaces, "nothing")


def test_reading_a_study_needs_no_torch():
    modules = (
        "search_spaces, search_spaces.factors, search_spaces.designs, search_spaces.drawing, search_spaces.constraints"
    )
    code = f"import sys, {modules}; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
