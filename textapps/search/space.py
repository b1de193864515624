"""The space that a search looks through, around a preset."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Generic

from textapps.backbones.config import fitting_units
from textapps.core.config import Flags, lookup
from textapps.core.errors import ConfigurationError, unknown
from textapps.core.keys import Key, keys_of
from textapps.search.dimension import Dimension, Value
from textapps.search.narrowing import START, Narrowed, excluded, narrowed
from textapps.tasks.config import C, Presets
from textapps.training.start_config import FROM_NOTHING

KIND = "backbone.kind"
# A run that starts from another keeps what it takes from it, but not the section of this name.
_TRAINING = "training"
# With it, no other key of the backbone section than units has an effect, and a microcontroller can
# run the mean only. The pretrained models have a backbone.
_CONVOLUTIONAL, _POOLING, _UNITS = "model.convolutional", "model.pooling", "backbone.units"
_HEADS = "backbone.heads"
LOG_FROM = 10.0  # a range whose ends differ by so much has a logarithmic scale


class Space(Generic[C]):
    """The dimensions of a search, and the configuration of each of their points.

    Args:
        presets: of the task.
        flags, file, environ: as `Presets.resolve` takes them. Text such as "1e-4..1e-2" narrows a
            key, and any other value is the same in all trials.
        kinds: the backbones to try, by default those that the field names. The preset is that of
            its own one, or of the first if it is not among them.
        starts: what runs may start from, by its origin, with its config.toml. One that a flag, the
            file or the environment names is that of all trials, of which only the training differs.
        same_vocabulary: whether a start learns all tokens that the preset would know,
            because the metric favours a model that knows less.

    Attributes:
        base: the preset as it stands.
        dimensions: by key.
    """

    def __init__(
        self,
        presets: Presets[C],
        flags: Flags,
        *,
        file: Path | None = None,
        environ: Mapping[str, str] | None = None,
        kinds: Sequence[str] = (),
        starts: Mapping[str, Path] | None = None,
        same_vocabulary: bool = False,
    ) -> None:
        self._keys = keys = {key.name: key for key in keys_of(presets.config)}
        self._presets = presets
        self._file, self._environ = file, environ or {}
        self._starts = starts or {}
        self._same_vocabulary = same_vocabulary
        given = lookup(START, file=file, environ=environ, flags=flags)
        self._start = None if given is None else self._starts.get(str(given))
        self._known: dict[tuple[str | None, str], C] = {}
        self._needs = {
            name: key.search.needs for name, key in keys.items() if key.search and key.search.needs
        }
        self._flags, ranges = narrowed(flags, keys)
        kinds = kinds or tuple(map(str, ranges[KIND].choices if KIND in ranges else ()))
        base = self._preset(None, FROM_NOTHING)
        if kinds and base.backbone.kind not in kinds:
            base = self._preset(kinds[0], FROM_NOTHING)
        self.base = base
        self._values = _flat(base.model_dump())
        self._convolutional = (
            bool(self._values.get(_CONVOLUTIONAL)) and _CONVOLUTIONAL not in ranges
        )
        if self._convolutional and (of := self._without_effect(ranges, kinds)):
            raise ConfigurationError(
                f"{of} has no effect in a model without a backbone, such as that of the preset "
                "micro: leave it out, or choose another --preset"
            )
        self.dimensions = {
            dimension.key: replace(dimension, with_start=_is_varied_with_start(key))
            for key in keys.values()
            if (dimension := self._dimension(key, ranges.get(key.name), kinds)) is not None
        }
        for key, given in ranges.items():
            for value in given.samples:
                self._check(key, value)
        if not self.dimensions:
            raise ConfigurationError(
                "the space is empty, because every key that search varies is set: leave out an "
                "option or a --set, or give a range such as --set training.learning_rate=1e-4..1e-2"
            )

    @property
    def document(self) -> str:
        """The preset and the dimensions as JSON: the same for all processes that share a search.

        Where the data are may differ between machines.
        """
        config = self.base.model_dump(mode="json", exclude={"random_seed", "data"})
        dimensions = [dimension.document for dimension in self.dimensions.values()]
        return json.dumps({"preset": config, "space": dimensions}, sort_keys=True)

    @property
    def points(self) -> list[dict[str, Value]]:
        """Where it begins: the preset, then what keys want tried soon, then the starts."""
        first = {key: dimension.point for key, dimension in self.dimensions.items()}
        changes: list[dict[str, Value]] = [{START: start} for start in self.starts]
        for key, dimension in self.dimensions.items():
            declared = self._keys[key].search
            soon = None if declared is None else declared.soon
            if soon is not None and soon in dimension.choices and soon != first[key]:
                changes.insert(0, {key: soon})
        return [first, *({**first, **change} for change in changes)]

    @property
    def starts(self) -> list[str]:
        """What trials may start from, by its origin."""
        choices = self.dimensions[START].choices if START in self.dimensions else ()
        return [str(choice) for choice in choices if choice != FROM_NOTHING]

    def config(self, point: Mapping[str, Value]) -> C:
        """The configuration of a point.

        Raises:
            ConfigurationError: its values do not fit together.
        """
        start = str(point.get(START, FROM_NOTHING))
        kind: str | None = str(point[KIND]) if KIND in point else self.base.backbone.kind
        if start != FROM_NOTHING or self._start or self._convolutional:
            kind = None
        preset = self._preset(kind, start)
        values = _flat(preset.model_dump())
        changes: dict[str, Any] = {}
        for key, dimension in self.dimensions.items():
            fixed = start != FROM_NOTHING and not dimension.with_start
            if key in (KIND, START) or fixed or values[key] is None:
                continue
            changes[key] = dimension.value(point[key], values[key])
        for key, needed in self._needs.items():  # which has no effect without the other
            if key in changes and not changes.get(needed, values[needed]):
                del changes[key]
        if _UNITS in changes and kind is not None:
            heads = changes.get(_HEADS, values[_HEADS])
            changes[_UNITS] = fitting_units(int(changes[_UNITS]), kind, int(heads))
        return self._resolved(kind, start, changes)

    def _check(self, key: str, value: object) -> None:
        """ConfigurationError if a key may not have a value; what it does not fit to may change."""
        try:
            self._resolved(None, FROM_NOTHING, {key: value})
        except ConfigurationError as error:
            if str(error).startswith(f"{key} = "):
                raise

    def _preset(self, kind: str | None, start: str) -> C:
        if (kind, start) not in self._known:
            self._known[kind, start] = self._resolved(kind, start, {})
        return self._known[kind, start]

    def _resolved(self, kind: str | None, start: str, changes: Mapping[str, object]) -> C:
        flags = Flags({**self._flags, **changes}, self._flags.options)
        if kind is not None:
            flags[KIND] = kind
        if start != FROM_NOTHING:
            flags[START] = start
            if self._same_vocabulary:
                flags.setdefault("start.extend_vocabulary", True)
                for name in type(self.base.preprocessor).GROWING:
                    value = getattr(self.base.preprocessor, name)
                    flags.setdefault(f"preprocessor.{name}", value)
        return self._presets.resolve(
            file=self._file,
            environ=self._environ,
            flags=flags,
            start=self._starts.get(start, self._start),
        )

    def _dimension(
        self, key: Key, given: Narrowed | None, kinds: Sequence[str]
    ) -> Dimension | None:
        """The dimension of a key; None if it has one value."""
        if self._convolutional and given is None and self._is_left_out(key.name):
            return None
        if self._start and not _is_varied_with_start(key):
            if given is None and not (kinds and key.name == KIND):
                return None
            raise ConfigurationError(
                f"{key.name} is that of the run to start from: search keys of training, or leave "
                "--init-from out"
            )
        if key.name == START:
            return self._start_dimension(key, given)
        if key.name in self._flags:
            return None
        preset = self._values[key.name]
        if key.name == KIND:
            return _among(key.name, preset, kinds or key.search.among if key.search else ())
        if given is not None:
            return _given(key, given, preset)
        declared = key.search
        if declared is None or preset is None or self._lacks(declared.needs):
            return None
        if declared.among:
            return _among(key.name, preset, declared.among)
        if declared.times:
            low, high = declared.times
            return Dimension(
                key=key.name,
                preset=preset,
                low=low,
                high=high,
                log=True,
                factor=True,
                multiple=declared.multiple,
                cost=declared.cost,
            )
        assert declared.between is not None
        low, high = min(declared.between[0], preset), max(declared.between[1], preset)
        whole = isinstance(preset, int)
        return Dimension(key=key.name, preset=preset, low=low, high=high, whole=whole)

    def _lacks(self, name: str) -> bool:
        """Whether no trial has a value of a key."""
        if not name or self._values[name]:
            return False
        with_start = _is_varied_with_start(self._keys[name])
        return name in self._flags or (self._start is not None and not with_start)

    def _is_left_out(self, name: str) -> bool:
        """Whether a key is not varied in a model without a backbone."""
        backbone = name.startswith("backbone.") and name != _UNITS
        return backbone or name in (_POOLING, START)

    def _without_effect(self, ranges: Mapping[str, Narrowed], kinds: Sequence[str]) -> str | None:
        """What the user has said of the backbone of a model that has none; None for nothing."""
        if kinds:
            return "--backbone" if KIND not in ranges else KIND
        left_out = (key for key in ranges if key.startswith("backbone.") and key != _UNITS)
        return next(left_out, None)

    def _start_dimension(self, key: Key, given: Narrowed | None) -> Dimension | None:
        if key.name in self._flags or self._values[START] is not None:
            return None
        starts = given.choices if given else tuple(self._starts)
        for start in starts:
            if start not in (FROM_NOTHING, *self._starts):
                known = (FROM_NOTHING, *self._starts)
                raise ConfigurationError(f"{key.name}: {unknown('start', str(start), known)}")
        return _among(key.name, FROM_NOTHING, starts)


def _is_varied_with_start(key: Key) -> bool:
    """Whether a key may differ from that of the run that a training starts from."""
    in_training = key.name.partition(".")[0] == _TRAINING
    return in_training or (key.search is not None and key.search.with_start)


def _among(key: str, preset: Any, values: Sequence[Value]) -> Dimension | None:
    choices = tuple(dict.fromkeys((preset, *values)))
    return Dimension(key=key, preset=preset, choices=choices) if len(choices) > 1 else None


def _given(key: Key, given: Narrowed, preset: Any) -> Dimension | None:
    """What the user has said of a key; ConfigurationError if the preset is not among it."""
    if given.choices:
        if preset not in given.choices:
            raise excluded(key.name, preset, ",".join(map(str, given.choices)))
        return _among(key.name, preset, given.choices)
    assert given.low is not None
    assert given.high is not None
    if preset is None or not given.low <= preset <= given.high:
        raise excluded(key.name, preset, f"{given.low:g}..{given.high:g}")
    log = given.low > 0 and given.high / given.low >= LOG_FROM
    return Dimension(
        key=key.name,
        preset=preset,
        low=given.low,
        high=given.high,
        log=log,
        whole=key.kind is int,
        cost=key.search.cost if key.search else 0.0,
    )


def _flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in values.items():
        if isinstance(value, Mapping):
            flat |= _flat(value, f"{prefix}{key}.")
        else:
            flat[prefix + key] = value
    return flat
