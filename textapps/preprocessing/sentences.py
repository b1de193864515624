"""Splits texts into sentences and joins them again, with stock TensorFlow operations only."""

from typing import Any

import tensorflow as tf

# A sentence counts control characters as white space, so these two are free to be marks.
_DOT, _BREAK = "\x01", "\x02"
_NO_WORD = r"(^|[^\p{L}\p{M}\p{N}])"
_LETTER = r"[\p{Lu}\p{Ll}]"
_CLOSING = r"""(?:["'”’»›“‘«‹)\]}]|[\x{A0}\x{202F} ]»)"""
_OPENING = r"""(?:["'“„«‹‘‚(\[{–—-]\s?)"""
_BEGINNING = r"[\p{Lu}\p{Lt}\p{Lo}\p{Nd}¿¡]"
# What a name follows, and what a number follows. Those that may end a sentence (etc.) are not here.
_TITLES = (
    "Mr|Mrs|Ms|Messrs|Drs?|Prof|Ste?|Gen|Col|Capt|Lt|Sgt|Rev|Hon|Gov|Sen|Rep|Pres|Mt|Ft|vs|cf|"
    "Hrn?|Frl?|bzw|vgl|sog|evtl|ggf|inkl|zzgl|Dipl|Ing|Mme|Mlle|MM|Sra?|Srta|Dra|Uds?|Vds?|Sig|Dott"
)
_NUMBERED = "[Nn]os?|Nr|Figs?|[Pp]p?|[Vv]ol|[Aa]rt|ca|approx|Bd|Abb|Kap|núm|pág"
_RULES = (
    (rf"[{_DOT}{_BREAK}]", " "),
    # A pronoun and no initial: "She is taller than I. He is not."
    (r"(^|\s)(\p{Ll}+ I)\.\s+(\p{Lu})", rf"\1\2.{_BREAK}\3"),
    # Dots that end no sentence: of abbreviations, U.S. and z.B., initials, and 3. Oktober.
    (rf"{_NO_WORD}({_TITLES})\.", rf"\1\2{_DOT}"),
    (rf"{_NO_WORD}({_NUMBERED})\.(\s*\p{{Nd}})", rf"\1\2{_DOT}\3"),
    (rf"{_NO_WORD}((?:{_LETTER}\.)+{_LETTER})\.", rf"\1\2{_DOT}"),
    (rf"(^|[^\p{{L}}\p{{M}}\p{{N}}.'’])({_LETTER})\.", rf"\1\2{_DOT}"),
    (r"(^|[^\p{L}\p{M}\p{N}.,:])(\p{Nd}{1,2})\.", rf"\1\2{_DOT}"),
    (
        rf"([.!?…]+[)\]}}]*|[.…]+{_CLOSING}+)\s+({_OPENING}*{_BEGINNING})",
        rf"\1{_BREAK}\2",
    ),
    # "Why?" Tom asked: the one who says it may follow, so another quotation must.
    (rf"([!?]+{_CLOSING}+)\s+({_OPENING}+{_BEGINNING})", rf"\1{_BREAK}\2"),
    # No space follows full-width stops. A sentence may go on after a quotation.
    (r"([。！？｡]+)\s*([^。！？｡”’」』）》\"'\s])", rf"\1{_BREAK}\2"),
    (r"([。！？｡]+[”’」』）》\"']+)\s*([「『“（《])", rf"\1{_BREAK}\2"),
    # Devanagari, Urdu, Arabic, Ethiopic and Armenian.
    (rf"([।॥۔؟።։]+{_CLOSING}*)\s+(\S)", rf"\1{_BREAK}\2"),
    (_DOT, "."),
)


def split_sentences(texts: Any) -> Any:
    """Valid UTF-8, string[batch] → ragged string[batch, (lines), (sentences)].

    Lines end at LF, CR LF or CR; other separators, such as U+2028, may stand within a sentence. A
    line has at least one sentence, which may be empty. In doubt, as after an abbreviation or a
    quotation, a line stays whole. Nothing but white space is lost.
    """
    return _SPLIT(texts)  # traced once for all signatures of an export


def _split(texts: Any) -> Any:
    lines = tf.strings.split(tf.strings.regex_replace(texts, "\r\n?", "\n"), "\n")
    marked = lines.flat_values
    for pattern, replacement in _RULES:
        marked = tf.strings.regex_replace(marked, pattern, replacement)
    return lines.with_flat_values(tf.strings.split(marked, _BREAK))


def join_sentences(sentences: Any, translations: Any) -> Any:
    """Translations of sentences to those of texts, with the lines of the texts.

    Args:
        sentences: as `split_sentences` gives them.
        translations: string[sentences, n].

    Returns:
        string[batch, n], "" for white space alone.
    """
    of_lines = sentences.values
    lines = tf.strings.unsorted_segment_join(
        translations, of_lines.value_rowids(), of_lines.nrows(), " "
    )
    lines = tf.strings.regex_replace(lines, "([。！？｡][”’」』）》]*) ", r"\1")
    lines = tf.strings.join(["\n", tf.strings.strip(lines)])
    # A separator would be left out behind empty lines.
    texts = tf.strings.unsorted_segment_join(lines, sentences.value_rowids(), sentences.nrows())
    return tf.strings.regex_replace(texts, r"^(?:\s*$|\n)", "")


_SPLIT = tf.function(_split, input_signature=[tf.TensorSpec([None], tf.string)], autograph=False)
