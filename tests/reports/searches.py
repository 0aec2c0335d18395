"""An invented search with forty arms: wirings, a shortcut, and a rate that one shortcut alone has."""

import hashlib
import random
from dataclasses import replace
from typing import Any

from reports.results import Study
from reports.trials import Arm, State, Trial
from tests.reports.studies import START, curve

SLOTS = ("nothing", "relu", "bn", "bn relu", "relu bn")
SHORTCUTS = ("identity", "none", "conv1x1", "scale(shortcut=0.5,residual=0.5)", "dropout", "shortcut_gate(bias=-6)")
PLACES = tuple(f"activation: {place}" for place in ("before conv 1", "before conv 2", "before add", "after the merge"))
ARMS = 40
CONFIRMED = 3


def _params(chance: random.Random, at: int) -> dict[str, Any]:
    shortcut = "identity" if at == 0 else chance.choice(SHORTCUTS)
    params: dict[str, Any] = {place: chance.choice(SLOTS) for place in PLACES}
    params |= {"shortcut": shortcut, "training.lr": round(10 ** chance.uniform(-2.5, 0), 4)}
    return params | ({"network.rate": round(chance.uniform(0.1, 0.9), 2)} if shortcut == "dropout" else {})


def _error(params: dict[str, Any], chance: random.Random) -> float:
    error = 3.0 + 4 * abs(params["training.lr"] - 0.1) + 5 * params.get("network.rate", 0.0)
    error += 30 * (params["shortcut"] == "none") + 2 * SLOTS.index(params[PLACES[0]])
    return round(error + chance.uniform(0, 2), 2)


def _name(stage: str, params: dict[str, Any]) -> str:
    return f"stage={stage} " + " ".join(f"{key}={value}" for key, value in params.items())


def _share(parts: dict[str, float], method: str, **among: Any) -> dict[str, Any]:
    return {"method": method, "question": f"which choice matters to {method}?", "shares": parts, **among}


def searched() -> Study:
    """Return the search, with its control and its confirmation."""
    chance = random.Random(11)
    factors = ("stage", *PLACES, "shortcut", "training.lr", "network.rate")
    proposals: dict[str, list[dict[str, Any]]] = {"search": [], "control": []}
    found, arms, trials = [], [], []
    for role in proposals:
        for at in range(ARMS):
            params = _params(chance, at)
            error = None if at % 9 == 8 else _error(params, chance)
            name = _name("search", params)
            facts = {"origin": "sampler" if at else "baseline", "status": "trained", "reason": None, "generation": None}
            state = "PRUNED" if error is None else "COMPLETE"
            values = None if error is None else [error]
            proposals[role].append(
                {"number": at, "arm": name, "params": params, "state": state, "values": values, **facts}
            )
            if role == "search":
                found.append((params, error))
                arms.append(_arm("search", params, factors))
    best = sorted((pair for pair in found[1:] if pair[1] is not None), key=lambda pair: pair[1])[:CONFIRMED]
    for params, error in [found[0], *best]:
        arm = _arm("confirm", params, factors)
        arms.append(arm)
        trials += [_trial(arm, seed, max(error - 1, 0.5) + chance.gauss(0, 0.3), chance) for seed in range(1000, 1005)]
    settings = {"sampler": {"name": "tpe"}, "validation": 0.2, "penalty": 100.0, "confirm": {"best": 3, "seeds": 5}}
    everywhere = {"arms": 36, "where": None}
    record = {
        "settings": settings,
        "objectives": ["val_error"],
        "baseline": _name("search", found[0][0]),
        "proposals": proposals,
        "importance": [
            _share({"shortcut": 0.6, PLACES[0]: 0.3, "training.lr": 0.06, PLACES[1]: 0.04}, "PED-ANOVA", **everywhere),
            _share({"shortcut": 0.7, PLACES[0]: 0.2, "training.lr": 0.08, PLACES[1]: 0.02}, "fANOVA", **everywhere),
            _share({"network.rate": 0.8, PLACES[0]: 0.2}, "fANOVA", arms=12, where="shortcut is dropout"),
        ],
        "confirmed": [arm.name for arm in arms if arm.levels["stage"] == "confirm"],
    }
    levels = {factor: tuple(dict.fromkeys(arm.levels[factor] for arm in arms)) for factor in factors}
    baseline = {key: value for key, value in arms[0].levels.items() if key != "stage"}
    return Study(
        "hunt",
        "Which wiring and which shortcut train best?",
        "study: hunt\ndesign: search\n",
        {"claims": []},
        levels,
        baseline,
        None,
        tuple(arms),
        tuple(trials),
        search=record,
    )


def with_sizes() -> Study:
    """Return the search with the number of parameters as a second objective: the later an arm, the fewer it has."""
    whole = searched()
    proposals = {
        role: [each | {"values": each["values"] and [*each["values"], 9000.0 - 100 * each["number"]]} for each in every]
        for role, every in whole.search["proposals"].items()
    }
    return replace(whole, search={**whole.search, "objectives": ["val_error", "params"], "proposals": proposals})


def replay() -> Study:
    """Return a replay of the search that confirms nothing, with a sampler that never left its random start."""
    whole = replayed(configuration("tpe", 1.0), configuration("nsga2", 0.0))
    record = whole.search["comparison"]
    random, *others = record["configurations"]
    others[1] |= {"best": random["best"], "sampler": {"name": "nsga2", "population_size": 50}}
    arms = tuple(arm for arm in whole.arms if arm.levels["stage"] == "search")
    return replace(
        whole, arms=arms, trials=(), command="orchestrate run hunt.yaml --executor replay --db sqlite:////home/me/r.db"
    )


def configuration(
    name: str, gain: float | None, training: float = 300.0, proposing: float = 0.1, stops: bool = False
) -> dict[str, Any]:
    """Return how a sampler fares that ends `gain` points below random search, or always alike where that is None."""
    return {"name": name, "gain": gain, "training": training, "proposing": proposing, "stops": stops}


def replayed(*others: dict[str, Any], seeds: int = 20) -> Study:
    """Return the search with a replay of 30 of 200 arms that held `others` against random search; none for none."""
    if not others:
        return searched()
    chance = random.Random(5)
    on_record = [6.0, *(2.0 + 8 * chance.random() ** 0.7 for _ in range(199))]
    configurations = []
    for each in (configuration("random", 0.0), *others):
        best = []
        for _ in range(seeds):
            drawn = [on_record[0], *chance.sample(on_record[1:], 29)]
            gain = each["gain"] or 0.0
            lost = [min(drawn[: at + 1]) - gain * at / 29 for at in range(30)]
            best.append([6.0] * 30 if each["gain"] is None else lost)
        configurations.append(
            {
                "name": each["name"],
                "stops": each["stops"],
                "best": best,
                "training_seconds": [each["training"]] * seeds,
                "proposing_seconds": [each["proposing"]] * seeds,
            }
        )
    record = {"arms": 30, "workers": 1, "on_record": on_record, "configurations": configurations}
    study = searched()
    return replace(study, search={**study.search, "comparison": record})


def _arm(stage: str, params: dict[str, Any], factors: tuple[str, ...]) -> Arm:
    levels = {"stage": stage, **{factor: params.get(factor, "-") for factor in factors if factor != "stage"}}
    return Arm(_name(stage, params), levels, {"data": {"name": "digits"}}, 13_290, 1_000_000)


def _trial(arm: Arm, seed: int, error: float, noise: random.Random) -> Trial:
    rows = curve(round(error, 2), 8, noise)
    last = rows[-1]
    return Trial(
        f"{hashlib.sha256(arm.name.encode()).hexdigest()[:12]}{seed}",
        arm.name,
        seed,
        State.COMPLETE,
        test_error=last.test_error,
        train_error=last.train_error,
        test_loss=last.test_loss,
        train_loss=last.train_loss,
        seconds=8.0,
        curve=rows,
        started_at=START,
        finished_at=START,
    )
