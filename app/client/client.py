"""The client: one object for one studio."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

from app.client.comparing import Comparisons, Views, search
from app.client.datasets import Datasets
from app.client.evaluations import Evaluations
from app.client.exports import Bundles, Exports
from app.client.generations import Generations
from app.client.more import Experiments, Presets, Projects
from app.client.runs import Runs
from app.client.studies import Studies
from app.client.trajectories import Trajectories
from app.client.transport import ANSWER_SECONDS, Patience, Transport
from app.client.workers import Queues, Workers
from app.search.schemas import Hit


class Client:
    """Talks to a studio; use it as a context manager, or close it.

    Args:
        url: of the studio; absent: `UNISD_API_URL`, else this machine's.
        token: absent: `UNISD_TOKEN`.
        actor: who asks, for the history; absent: `UNISD_ACTOR`, else the user's name.
        patience: how often and how long requests are tried again.
        timeout: seconds to wait for an answer.

    Attributes:
        url: of the studio.
        runs: start, watch and end runs.
        comparisons: runs side by side, against a baseline.
        views: arrangements of the list of runs that people saved.
        evaluations: start evaluations, read and compare their results.
        trajectories: recorded rollouts, token by token.
        exports: files of a run's weights: make, check, download them.
        generations: answers of several models to the same prompt.
        bundles: a run as one file, and the same run started from it.
        datasets: upload, map, preview and check data sets.
        studies: grids of runs.
        workers: who executes runs.
        queues: what waits.
        projects: what runs belong to.
        experiments: definitions that runs execute.
        presets: what there is to start from.
    """

    def __init__(
        self,
        url: str | None = None,
        token: str | None = None,
        *,
        actor: str | None = None,
        patience: Patience | None = None,
        timeout: float = ANSWER_SECONDS,
    ) -> None:
        self._transport = Transport(url, token, actor, patience, timeout)
        self.url = self._transport.url
        self.runs = Runs(self._transport)
        self.comparisons = Comparisons(self._transport)
        self.views = Views(self._transport)
        self.evaluations = Evaluations(self._transport)
        self.trajectories = Trajectories(self._transport)
        self.exports = Exports(self._transport)
        self.generations = Generations(self._transport)
        self.bundles = Bundles(self._transport)
        self.datasets = Datasets(self._transport)
        self.studies = Studies(self._transport)
        self.workers = Workers(self._transport)
        self.queues = Queues(self._transport)
        self.projects = Projects(self._transport)
        self.experiments = Experiments(self._transport)
        self.presets = Presets(self._transport)

    def search(self, text: str = "", *, limit: int = 8) -> Sequence[Hit]:
        """Runs, data sets, studies and workers by name or identifier; the newest without a text.

        Args:
            text: in a name, or an identifier.
            limit: of each kind at most.
        """
        return search(self._transport, text, limit)

    def close(self) -> None:
        """Close all connections."""
        self._transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
