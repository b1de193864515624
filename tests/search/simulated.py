"""A search whose trainings take no time: a clock that they move stands for it."""

import json
import random
import tempfile
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from textapps.search.halving import rungs, shares
from textapps.search.limits import Limits
from textapps.search.process import Process
from textapps.search.progress import Status
from textapps.search.trainer import Session
from textapps.search.trial import Facts
from textapps.training.data_record import DATA
from textapps.training.pace import Extent
from textapps.training.until import Until

STEPS_PER_PASS = 10


class Clock:
    """Moves when it is told to."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


class Silent:
    """Remembers how the search stood."""

    def __init__(self) -> None:
        self.seen: list[Status] = []

    def show(self, status: Status) -> None:
        self.seen.append(status)

    def finish(self) -> None:
        pass


class SimulatedTrainer:
    """In the place of `Trainer`: a training is a number of steps, and its score follows from them.

    per_step, setup: seconds. noise: of these, as a share. die_after: steps, before which all goes
    well; then RuntimeError stands for a kill.
    """

    def __init__(
        self,
        clock: Clock,
        folder: Path,
        *,
        per_step: float,
        setup: float,
        noise: float = 0.0,
        die_after: float = float("inf"),
        limits: Limits | None = None,
        seed: int = 0,
    ) -> None:
        self.clock, self.folder = clock, folder
        self.per_step, self.setup, self.noise = per_step, setup, noise
        self.load_seconds = setup / 3
        self.left_to_live = die_after
        self.limits = limits or Limits()
        self.random = random.Random(seed)
        self.trained: list[tuple[str, int, int]] = []  # run, first and last step of a session
        folder.mkdir(parents=True, exist_ok=True)

    def session(
        self,
        config: Any,
        run: Any,
        watch: Any,
        *,
        goes_on: Callable[[int, float], bool] = lambda rung, score: True,
        deadline: float | None = None,
        limited: bool = True,
        timed: bool = False,
        measured_until: float = float("inf"),
        began: Callable[[Any], None] = lambda run: None,
    ) -> Session:
        if run is None or not (run.path / DATA).is_file():
            run = SimpleNamespace(path=Path(tempfile.mkdtemp(prefix="run-", dir=self.folder)))
        (run.path / DATA).touch()
        began(run)
        self.clock.now += self._about(self.setup)
        total = STEPS_PER_PASS * config.training.epochs
        steps = rungs(total, STEPS_PER_PASS)
        step = first = self._step(run)
        until = Until(deadline=float("inf") if deadline is None else deadline)
        stopped_by = "epochs" if step == total else None  # killed after its end
        if stopped_by is None:
            watch.start(Extent(total, step, STEPS_PER_PASS, STEPS_PER_PASS, 3))
        while stopped_by is None:
            step += 1
            self.left_to_live -= 1
            if self.left_to_live < 0:
                raise RuntimeError("killed")
            self.clock.now += self._about(self.per_step * config.backbone.units / 32)
            watch.update(step, {}, step)
            late = self.clock.now >= until.deadline - watch.next_validation
            if step % STEPS_PER_PASS and step != total and not late:
                continue
            self.clock.now += self._about(self.per_step * config.backbone.units / 32)
            (run.path / "state.json").write_text(json.dumps(step))
            watch.epoch_end({})
            stopped_by = "epochs" if step == total else "time" if late else None
            if stopped_by is None and step in steps[:-1]:
                rung = shares(steps)[steps.index(step)]
                if not goes_on(rung, self.score(config, step / total)):
                    break
        self.trained.append((str(run.path), first, step))
        return self._session(config, run, watch, stopped_by, total)

    def stopped(self, run: Any, watch: Any, known: Facts | None) -> Session:
        return Session({}, None, False)

    def classical(self, config: Any) -> dict[str, float]:
        self.clock.now += self.setup
        return {"accuracy": 0.4}

    def test_seconds(self, config: Any) -> float:
        return self.setup

    def score(self, config: Any, share: float) -> float:
        """Best at some learning rate; more training is better."""
        off = abs(config.training.learning_rate / 0.01 - 1)
        return round(share * (0.9 - 0.1 * min(off, 4.0)) + 0.001 * config.random_seed, 6)

    def _session(
        self, config: Any, run: Any, watch: Any, stopped_by: str | None, total: int
    ) -> Session:
        step = self._step(run)
        steps = rungs(total, STEPS_PER_PASS)
        scores = {
            rung: self.score(config, end / total)
            for rung, end in zip(shares(steps)[:-1], steps[:-1], strict=True)
            if end <= step
        }
        score = self.score(config, step / total)
        facts = Facts(
            run=str(run.path),
            host=Process.of().host,
            random_seed=config.random_seed,
            best=score,
            monitor="accuracy",
            score=score,
            step=step,
            total_steps=total,
            seconds=step * self.per_step,
            wall_seconds=watch.clock() - watch.began_at,
            whole_seconds=watch.whole_seconds or step * self.per_step,
            setup_seconds=watch.setup_seconds,
            validation_seconds=watch.validation_seconds,
            parameters=1_000 * config.backbone.units,
            milliseconds=1.0,
            whole=stopped_by == "epochs",
            fits=self.limits.fit(1_000 * config.backbone.units, 1.0),
        )
        return Session(scores, facts, stopped_by is not None)

    def _step(self, run: Any) -> int:
        path = run.path / "state.json"
        return json.loads(path.read_text()) if path.exists() else 0

    def _about(self, seconds: float) -> float:
        return seconds * (1 + self.random.uniform(-self.noise, self.noise))


def opened(path: Path, **_: object) -> SimpleNamespace:
    """In the place of `RunDirectory.open`."""
    return SimpleNamespace(path=path)
