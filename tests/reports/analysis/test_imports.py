"""Whoever plans a study without claims waits for no library that only its report needs."""

import subprocess
import sys


def test_importing_the_analysis_and_forecasting_needs_neither_pandas_nor_statsmodels():
    code = (
        "import sys\n"
        "from reports.analysis import adaptive, contrasts, factors, many, power, prospects\n"
        "assert power.smallest_paired(5) and many.holm([0.03]) == [0.03]\n"
        "assert not {'pandas', 'statsmodels'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
