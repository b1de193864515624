"""What is known of a pretrained model before it is trained."""

from pydantic import Field

from textapps.core.config import Section


class Facts(Section):
    """What a person writes about a pretrained model, for its card and for the list.

    title: what it answers, in a few words.
    languages: of its inputs, and of a translator's outputs.
    data, terms: what it is trained on, and the terms under which these data may be used.
    use, not_for: what it is meant for, and what it must not be used for or cannot do.
    inputs: a few inputs to try, by the name of the input of the export: for the card and for the
        web page of a server.
    """

    task: str
    title: str = Field(min_length=1)
    languages: tuple[str, ...] = Field(min_length=1)
    data: str = Field(min_length=1)
    terms: str = Field(min_length=1)
    use: str = Field(min_length=1)
    not_for: str = Field(min_length=1)
    inputs: tuple[dict[str, str], ...] = ()
