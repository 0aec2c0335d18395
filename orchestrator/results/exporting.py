"""Hand a trained network of a study to other programs, from its kept weights."""

import re
from pathlib import Path

from orchestrator.errors import UserError
from orchestrator.results.location import load_study, output_folder
from search_spaces.errors import SettingError, unknown

FORMATS = ("state_dict", "torchscript", "onnx")


def export_network(
    study: str, arm: str | None, seed: int | None, to: str, db: str | None = None, out: Path | None = None
) -> Path:
    """Write one trained network in another program's format and return the file.

    Without an arm or a seed, the study must have just one of them. UserError names what is not there.
    """
    if to not in FORMATS:
        raise UserError(f"--to: {unknown('format', to, FORMATS).message}")
    frames = load_study(study, db)
    arms = [each.name for each in frames.study.arms if not each.orphaned]
    arm = _only("--arm", arm, arms)
    seeds = [str(trial.seed) for trial in frames.study.trials_of(arm)] if arm in arms else []
    seed = int(_only("--seed", None if seed is None else str(seed), seeds))
    kept = frames.kept(arm, seed)

    from trainers.export import FORMATS as WRITERS  # imports torch
    from trainers.weights import WeightsError, load_weights

    write, ending = WRITERS[to]
    name = re.sub(r"[^\w.-]+", "-", f"{arm} seed={seed}").strip("-")
    path = out or output_folder(study) / "networks" / f"{name}{ending}"
    try:
        weights = load_weights(Path(kept.path))
        path.parent.mkdir(parents=True, exist_ok=True)
        write(weights, path)
    except (WeightsError, SettingError) as error:
        raise UserError(str(error)) from None
    except OSError as error:
        raise UserError(f"--out {path}: nothing can be written there ({error.strerror}); name another file") from None
    return path


def _only(option: str, given: str | None, known: list[str]) -> str:
    """Return what was given, else the only one there is."""
    if given is not None:
        return given
    if len(known) == 1:
        return known[0]
    shown = ", ".join(f'"{each}"' for each in known[:5]) + (", ..." if len(known) > 5 else "")
    raise UserError(f"{option}: say which of {len(known)} is to be exported: {shown}")
