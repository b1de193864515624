"""What a trained model of any task can do besides answering."""

import importlib
from pathlib import Path
from typing import Any

from textapps.training.run_directory import RunDirectory


class Predictor:
    """A run with its weights; the package of its task has `evaluation` and `export` modules.

    run: where it was trained
    config: its whole configuration
    """

    run: RunDirectory
    config: Any

    def evaluate(self, split: str = "test") -> dict[str, Any]:
        """Evaluates the model on a split of the data it was trained on.

        Returns:
            {"task", "run", "data", "split", "examples", "metrics"}, as in metrics.json.

        Raises:
            DataError: the data are gone or have other labels.
        """
        summary: dict[str, Any] = self._module("evaluation").evaluate(self, split=split).summary
        return summary

    def export(self, models_dir: Path | str = "models", **options: Any) -> Path:
        """Publishes a verified SavedModel; `options` are those of the [export] section.

        Returns the directory of the new version.

        Raises:
            ExportError: it cannot be written, or does not answer as this model does.
        """
        return self._exported(self._module("export"), models_dir, options)

    def _exported(self, module: Any, models_dir: Path | str, options: dict[str, Any]) -> Path:
        section = self.config.export
        chosen = type(section)(**{**section.model_dump(), **options})
        path: Path = module.export(self, models_dir, chosen)
        return path

    def _module(self, name: str) -> Any:
        return importlib.import_module(f"textapps.tasks.{self.config.task}.{name}")
