"""The [data] section of texts whose labels are not read."""

from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import Field, field_validator, model_validator

from textapps.core.keys import Option
from textapps.datasets.config import SourceConfig, as_several


class PlainTextsConfig(SourceConfig):
    """Where texts to pre-train on come from."""

    source: Annotated[str, Option("--data", metavar="SOURCE", multiple=True)] = Field(
        "imdb_reviews",
        min_length=1,
        description="Texts, whose labels are not used: 'sample' (bundled), a path of a file (CSV, "
        "TSV, JSON lines, text, .gz too; Parquet, Excel) or folder, or the name of a TensorFlow "
        "Datasets set; repeatable. Name the data of the classifier, so that its validation and "
        "test texts are left out.",
    )
    more: tuple[Annotated[str, Field(min_length=1)], ...] = Field(
        (), description="Further sources, which --data names when it is given again."
    )
    text_column: Annotated[str | None, Option("--text-column", metavar="NAME")] = Field(
        None, min_length=1, description="The column of texts; by default found by its name."
    )
    label_column: Annotated[str | None, Option("--label-column", metavar="NAME")] = Field(
        None,
        min_length=1,
        description="The column of labels, by default found by its name; a source with labels is "
        "split as for the classifier.",
    )
    validation_share: float = Field(
        0.01, gt=0, le=0.5, description="Share of the texts that the language model is tested on."
    )

    _are_several = field_validator("more", mode="before")(as_several)

    @model_validator(mode="before")
    @classmethod
    def _take_apart(cls, values: Any) -> Any:
        """Several sources, as a repeated option gives them."""
        if not isinstance(values, dict):
            return values
        source, more = values.get("source"), values.get("more", ())
        if isinstance(source, list | tuple) and source:
            source, *more = source
            values = {**values, "source": source}
        return {**values, "more": tuple(more)} if isinstance(more, list) else values

    @property
    def sources(self) -> tuple[str, ...]:
        """All of them."""
        return (self.source, *self.more)

    @property
    def files(self) -> tuple[Path, ...]:
        """The files and folders among the sources, and those of validation and test."""
        named = (*self.sources, self.validation_source or "", self.test_source or "")
        paths = (Path(name).expanduser() for name in named if name not in ("", "sample"))
        return tuple(path for path in paths if path.exists())

    def resolved(self) -> Self:
        """The same with every path absolute."""
        more = tuple(
            str(path.absolute()) if name != "sample" and path.exists() else name
            for name in self.more
            for path in (Path(name).expanduser(),)
        )
        return super().resolved().model_copy(update={"more": more})
