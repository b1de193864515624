"""What the configurations of all tasks have in common, and how one is resolved."""

import logging
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, ClassVar, Generic, NamedTuple, TypeVar

from pydantic import Field

from textapps.backbones.config import BackboneConfig
from textapps.core.config import Flags, Section, lookup, read_toml, resolve
from textapps.core.config_errors import section_of
from textapps.core.errors import ConfigurationError, unknown
from textapps.core.keys import Option
from textapps.core.names import PresetName
from textapps.datasets.config import SourceConfig
from textapps.exporting.config import ExportConfig
from textapps.training.config import TrainingConfig
from textapps.training.start_config import StartConfig


class TaskConfig(Section):
    """The whole configuration of a run, as config.toml holds it.

    A task narrows the types of `task`, `data`, `preprocessor` and `model`, and may add sections.

    before: values by section that runs have whose config.toml lacks the key, because they are older
        than it. The defaults would change their answers.
    """

    before: ClassVar[Mapping[str, Mapping[str, Any]]] = {}

    task: str = Field(description="The task of the run.")
    preset: Annotated[PresetName, Option("--preset")] = Field(
        "small", description="A set of values to start from."
    )
    random_seed: Annotated[int, Option("--random-seed")] = Field(
        0,
        ge=0,
        le=2**32 - 1,
        description="Seed of everything random: the same seed gives the same weights.",
    )
    data: SourceConfig
    preprocessor: Section
    backbone: BackboneConfig = BackboneConfig()
    model: Section
    start: StartConfig = StartConfig()
    training: TrainingConfig = TrainingConfig()
    export: ExportConfig = ExportConfig()

    @property
    def reads_with(self) -> str:
        """What reads the sequences, as runs, exports and reports name it: the backbone's kind."""
        return self.backbone.kind

    @property
    def backbone_size(self) -> str:
        """The same with its sizes, for people."""
        return f"{self.reads_with}, {self.backbone.layers} x {self.backbone.units}"


LOGGER = logging.getLogger("textapps")

# A run that starts from another has this share of the preset's learning rate.
FINE_TUNING = 0.3
_NOT_TAKEN = ("data", "start", "training", "export")  # sections of a run to start from

C = TypeVar("C", bound=TaskConfig)
Values = Mapping[str, Mapping[str, Any]]


class Lent(NamedTuple):
    """What a run of another task lends to one that starts from it, besides the preprocessor and
    the backbone.

    keys: of [model], whose values come along
    values: by section, in place of the preset's: how to train on; the learning rate is not lowered
    """

    keys: tuple[str, ...]
    values: Values = MappingProxyType({})


class Presets(Mapping[str, Values], Generic[C]):
    """The presets of a task by name; `resolve` makes a configuration from one of them.

    Args:
        config: the class of the configuration.
        by_name: values by section; each preset names a `backbone.kind`.
        by_backbone: by preset and kind of backbone, values for a backbone that is not the preset's
            own.
        lent: by the name of another task whose runs a run may start from, what they lend.
    """

    def __init__(
        self,
        config: type[C],
        by_name: Mapping[str, Values],
        by_backbone: Mapping[tuple[str, str], Values],
        lent: Mapping[str, Lent] | None = None,
    ) -> None:
        self.config = config
        self.by_backbone = by_backbone
        self.lent = lent or {}
        self._by_name = by_name

    def __getitem__(self, name: str) -> Values:
        return self._by_name[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._by_name)

    def __len__(self) -> int:
        return len(self._by_name)

    @property
    def _taken(self) -> set[str]:
        """The sections that a run takes from the one that it starts from."""
        sections = {name for name in self.config.model_fields if section_of(self.config, name)}
        return sections - set(_NOT_TAKEN)

    @property
    def keys_set(self) -> frozenset[str]:
        """The dotted keys that some preset sets, or changes for some backbone."""
        tables = (*self._by_name.values(), *self.by_backbone.values())
        return frozenset(
            f"{section}.{key}" for table in tables for section in table for key in table[section]
        )

    def resolve(
        self,
        *,
        file: Path | None = None,
        environ: Mapping[str, str] | None = None,
        flags: Mapping[str, object] | None = None,
        start: Path | None = None,
    ) -> C:
        """The configuration from flags, environment, file and preset, in this precedence.

        They name the preset; without a name it is "small". If a flag or the environment names
        another preset than the file, and the file leaves none of its values in effect, as the
        config.toml of a run does, the file's preset is recorded, with a warning.

        Args:
            start: the config.toml of the run to start from. Its model and its preprocessor stand
                in the place of the preset's, and the preset's learning rate is lowered.

        Raises:
            ConfigurationError: an unknown key or preset, a wrong type or a value out of range.
        """
        name = str(lookup("preset", file=file, environ=environ, flags=flags) or "small")
        if name not in self:
            raise ConfigurationError(unknown("preset", name, self))
        config = self._from_preset(name, file, environ, flags, start)
        of_file = str(lookup("preset", file=file)) if file else name
        options = flags.options if isinstance(flags, Flags) else {}
        if of_file != name and of_file in self:
            own_flags = Flags({**(flags or {}), "preset": of_file}, options)
            own = self._from_preset(of_file, file, environ, own_flags, start)
            if _agree(own.model_dump(exclude={"preset"}), config.model_dump()):
                config = own
                LOGGER.warning(
                    "%s sets every value that preset %s would set, so the preset changes nothing; "
                    "the run is recorded with the preset of the file, %s",
                    file,
                    name,
                    of_file,
                )
        self.check(config, options)
        return config

    def check(self, config: C, options: Mapping[str, str]) -> None:
        """ConfigurationError if new runs of a task may not have a configuration.

        Args:
            options: the option that has set each dotted key, as in `Flags`.
        """

    def _from_preset(
        self,
        name: str,
        file: Path | None,
        environ: Mapping[str, str] | None,
        flags: Mapping[str, object] | None,
        start: Path | None,
    ) -> C:
        preset = self[name]
        own = {} if start is None else read_toml(start)
        kind = lookup("backbone.kind", file=file, environ=environ, flags=flags)
        kind = kind or own.get("backbone", preset["backbone"])["kind"]
        merged: dict[str, dict[str, Any]] = {}
        lent = self.lent.get(own.get("task", ""))
        layers = [preset, self.by_backbone.get((name, str(kind)), {})]
        for layer in layers if lent is None else (*layers, lent.values):
            for section, table in layer.items():
                merged.setdefault(section, {}).update(table)
        if start is not None:
            self._take(merged, own, lent)
            for key in getattr(section_of(self.config, "training"), "FROM_NOTHING", ()):
                merged["training"].pop(key, None)
            if lent is None or "learning_rate" not in lent.values.get("training", {}):
                merged["training"]["learning_rate"] *= FINE_TUNING
        values = {"preset": name, **merged}
        return resolve(self.config, preset=values, file=file, environ=environ, flags=flags)

    def _take(
        self, merged: dict[str, dict[str, Any]], own: Mapping[str, Any], lent: Lent | None
    ) -> None:
        """Replaces values of a preset by those of the run to start from."""
        if lent is not None:
            for section in ("preprocessor", "backbone", "model"):
                kind = section_of(self.config, section)
                free = getattr(kind, "FREE", ())
                merged.setdefault(section, {}).update(
                    {
                        key: value
                        for key, value in own[section].items()
                        if (key in lent.keys if section == "model" else key not in free)
                    }
                )
            return
        # Whole sections: a key that the run's version did not have is as it was then.
        before = self.config.before
        for key in self._taken & set(own):
            merged[key] = {**before.get(key, {}), **own[key]}

    def of_run(self, file: Path) -> C:
        """The configuration of a run, from its config.toml; errors as in `resolve`."""
        return resolve(self.config, preset=self.config.before, file=file)


def _agree(own: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether `other` has all values of `own` but None, which a file may leave out."""
    return all(
        _agree(value, other[key])
        if isinstance(value, Mapping) and isinstance(other[key], Mapping)
        else value is None or value == other[key]
        for key, value in own.items()
    )
