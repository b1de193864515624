"""What is set before the first step: labels of unlabelled texts, and a first head."""

import io
import zipfile
import zlib
from typing import TYPE_CHECKING, Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from textapps.core.counted import counted
from textapps.core.errors import RunError
from textapps.core.notices import notice
from textapps.core.records import RecordError, read_described, write_described
from textapps.core.tokens import UNK
from textapps.tasks import lifecycle
from textapps.tasks.registry import get_task
from textapps.tasks.sentiment.predictor import SentimentClassifier
from textapps.tasks.sentiment.probing import Sequences, answers, pooled, probe
from textapps.training.batches import TextBatchSource
from textapps.training.data_record import read_data_record
from textapps.training.run_directory import RunDirectory

if TYPE_CHECKING:
    from textapps.tasks.sentiment.teacher import Taught

FILE = "teacher.npz"  # of a run: the labels of all texts, those of a teacher included
_UNREADABLE = (OSError, EOFError, ValueError, KeyError, RecordError, zipfile.BadZipFile, zlib.error)


def taught(
    classifier: SentimentClassifier,
    batches: TextBatchSource,
    start: RunDirectory | None,
    begun: bool,
) -> TextBatchSource:
    """Batches in which unlabelled texts have the labels of a teacher, which the run keeps.

    The teacher is the run to start from, if it has the same labels. Else it is fitted to the
    labelled texts (`soft_labels`), and the n-gram path is adapted to what it says of all texts. A
    head behind a backbone that was trained for something else is fitted too (`probe`).

    Args:
        start: the run to start from.
        begun: whether the run has a checkpoint already, from which training goes on.

    Raises:
        RunError: what the run keeps is missing or damaged, or cannot be written.
    """
    unlabelled = bool(classifier.config.data.unlabelled)
    model, ids = classifier.model, batches.sequences["ids"]
    if begun:
        if not unlabelled:
            return batches
        labels = _read(classifier.run, batches.labels.shape)
        return TextBatchSource(batches.sequences, labels, batches.plan)
    teacher = _classifier(start, classifier.labels)
    if unlabelled:
        if teacher is not None:
            labels = _labels(teacher, batches)
        else:
            first, labels = _taught(classifier, batches, start)
            model.adapt(batches.sequences, first)
        _write(classifier.run, labels)
        batches = TextBatchSource(batches.sequences, labels, batches.plan)
    if start is not None and teacher is None:
        labels = batches.labels
        probe(model, ids, labels.argmax(axis=1) if labels.ndim > 1 else labels)
    return batches


def _classifier(start: RunDirectory | None, labels: tuple[str, ...]) -> SentimentClassifier | None:
    """The run to start from, if it is a classifier of the same labels."""
    if start is None or start.task != "sentiment":
        return None
    if tuple(read_data_record(start, labelled=True)["labels"]) != labels:
        return None
    found: SentimentClassifier = lifecycle.load(get_task("sentiment"), start)
    return found


def _known(batches: TextBatchSource) -> NDArray[np.bool_]:
    """bool[texts]: which have a label; they come first."""
    found: NDArray[np.bool_] = batches.labels.max(axis=1) == 1
    return found


def _labels(teacher: SentimentClassifier, batches: TextBatchSource) -> NDArray[np.float32]:
    """float32[texts, labels] by a classifier, those of labelled texts as they are."""
    known = _known(batches)
    notice("%s labels %s", teacher.run.path, counted(int((~known).sum()), "unlabelled text"))
    scores = _scores(teacher, batches.sequences)
    labels: NDArray[np.float32] = np.where(known[:, None], batches.labels, scores)
    return labels


def _taught(
    classifier: SentimentClassifier, batches: TextBatchSource, start: RunDirectory | None
) -> "Taught":
    """What a first stage says of all texts."""
    # Imported here because scikit-learn is slow to import.
    from textapps.tasks.sentiment.teacher import soft_labels

    known, sequences = _known(batches), batches.sequences
    featurizer = classifier.preprocessor
    words = _matrix(sequences["ids"], featurizer.vocabulary_size)
    grams = words
    if featurizer.ngrams is not None:
        grams = _matrix(sequences["ngrams"], featurizer.ngram_count + 1)
    features = [] if start is None else [pooled(classifier.model, sequences["ids"])]
    notice(
        "a teacher learns from %s by n-grams, topics%s, and labels %s",
        counted(int(known.sum()), "labelled text"),
        "" if start is None else f" and features of {start.path}",
        counted(int((~known).sum()), "text"),
    )
    labels = batches.labels[known].argmax(axis=1).astype(np.int32)
    return soft_labels(grams, words, features, labels, len(classifier.labels))


def _matrix(sequences: tuple[NDArray[np.int32], NDArray[np.int64]], columns: int) -> Any:
    """Which ids each text has: SciPy CSR of zeros and ones, float32[texts, columns]."""
    from scipy.sparse import csr_matrix

    values, splits = sequences
    ones = np.ones(len(values), np.float32)
    # A copy, because duplicates are summed in place.
    found = csr_matrix((ones, values, splits), shape=(len(splits) - 1, columns), copy=True)
    found.sum_duplicates()
    found.data[:] = 1
    return found


def _scores(teacher: SentimentClassifier, sequences: Sequences) -> NDArray[np.float32]:
    """The answers of a classifier to texts in ids, of which its vocabulary has the first ones."""
    ids, splits = sequences["ids"]
    ids = np.where(ids < teacher.preprocessor.vocabulary_size, ids, UNK).astype(np.int32)
    own = {"ids": (ids, splits)}
    if teacher.preprocessor.ngrams is not None:
        own["ngrams"] = teacher.preprocessor.ngrams.encode(ids, splits)
    model = teacher.model
    return answers(lambda batch: tf.nn.softmax(model.combined(model(batch, training=False))), own)


def _write(run: RunDirectory, labels: NDArray[np.float32]) -> None:
    packed = io.BytesIO()
    np.savez_compressed(packed, labels=labels)
    try:
        write_described(run.path / FILE, packed.getvalue())
    except OSError as error:
        raise RunError(f"cannot write {run.path / FILE}: {error.strerror}") from error


def _read(run: RunDirectory, shape: tuple[int, ...]) -> NDArray[np.float32]:
    path = run.path / FILE
    try:
        with np.load(io.BytesIO(read_described(path))) as arrays:
            labels: NDArray[np.float32] = arrays["labels"]
    except _UNREADABLE as error:
        raise RunError(f"{path} cannot be read ({error}); train a new run") from error
    if labels.shape != shape:
        raise RunError(f"{path} is of other texts; train a new run")
    return labels
