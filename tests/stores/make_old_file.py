"""Write a small results database of the version that this program writes now, to be kept for good.

Run once for each version of the schema, from the repository's root: python -m tests.stores.make_old_file
"""

import sqlite3
from pathlib import Path

from orchestrator.records.events import AttemptStarted, EpochDone, TrialEnded
from orchestrator.storage import Recorder, Store
from orchestrator.storage.migrations import VERSION
from reports.results import Measurement
from reports.trials import Epoch, State
from tests.orchestrator.storage.conftest import plan_of, save_measurement


def main() -> None:
    """Write tests/stores/version_N.db; FileExistsError when that version has its file already."""
    path = Path(__file__).parent / f"version_{VERSION}.db"
    if path.exists():
        raise FileExistsError(f"{path} exists, and old files are never written again")
    plan = plan_of()
    complete, diverged, failed, _ = (trial.id for trial in plan.trials)
    with Store.open(path) as store:
        store.record_plan(plan)
        with Recorder(store, plan.name) as recorder:
            for trial in (complete, diverged, failed):
                recorder.put(AttemptStarted(trial, "cpu", "here", {"torch": "2.9"}))
            recorder.put(EpochDone(complete, Epoch(1, 1.0, 50.0, 1.5, 60.0, 0.1, 2.0)))
            recorder.put(EpochDone(complete, Epoch(2, 0.5, 40.0, 1.2, 55.0, 0.1, 2.0, 1.3, 56.0)))
            recorder.put(TrialEnded(complete, State.COMPLETE, seconds=4.0, images_per_second=500.0))
            recorder.put(EpochDone(diverged, Epoch(1, 1e13, 90.0, None, None, 0.1, 2.0)))
            recorder.put(TrialEnded(diverged, State.DIVERGED, "loss 1e13", diverged_at=1, loss_before_divergence=2.3))
            recorder.put(TrialEnded(failed, State.FAILED, "out of memory"))
        save_measurement(store, Measurement(complete, "layer_response", {"std": [1.0, 0.5]}))
        rows = [
            {"at": {"x": row // 10, "y": row % 10}, "numbers": {"loss": float(row)}, "epoch": 2} for row in range(100)
        ]
        save_measurement(store, Measurement(complete, "loss_surface", {"rows": rows}))
        store.save_verdicts(plan.name, [{"claim": "c", "says": "a < b", "verdict": "Supported", "estimate": 1.5}])
    # One file, without the log beside it.
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA journal_mode=DELETE")
    connection.close()


if __name__ == "__main__":
    main()
