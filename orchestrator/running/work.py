"""What a run trains: the blocks that a plan and its looks ask for, or the arms that a search chooses."""

from orchestrator.running.executors import simulated_workers
from orchestrator.running.job import Job
from orchestrator.scheduling.blocks import StudyBlocks
from orchestrator.scheduling.measuring import study_probes
from orchestrator.scheduling.packs import Work
from orchestrator.scheduling.progress import Progress
from orchestrator.search.search_plan import SearchPlan
from orchestrator.storage import Store


def make_work(store: Store, job: Job, progress: Progress) -> Work:
    """Return what a job trains, which follows from the kind of its plan."""
    if isinstance(job.plan, SearchPlan):
        return _search(store, job, job.plan, progress)
    return _blocks(store, job, progress)


def _search(store: Store, job: Job, plan: SearchPlan, progress: Progress) -> Work:
    # Optuna takes a second to import, and only a search needs it.
    from orchestrator.search.run import SearchRun

    return SearchRun(store, plan, progress, job.out, simulated_workers(job), job.replay)


def _blocks(store: Store, job: Job, progress: Progress) -> Work:
    probes = study_probes(job.plan.settings) if job.replay is None else ()
    return StudyBlocks(store, job.plan, progress, job.config.file.resources.seeds_per_pack, probes)
