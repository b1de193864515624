// Which words carry an answer: leave each out and see how much the probability falls.

// So many rows are a few calls of the model; a longer text is taken several words at a time.
const MOST_ROWS = 200;
const MOST_CHARACTERS = 2_000_000;

/** The words of a text as `{ start, end }`, in languages without spaces too. */
export function words(text) {
  const segments = new Intl.Segmenter(undefined, { granularity: "word" }).segment(text);
  return [...segments]
    .filter(({ isWordLike }) => isWordLike)
    .map(({ index, segment }) => ({ start: index, end: index + segment.length }));
}

/**
 * Pieces of a text that are left out one at a time: words, or neighbouring words together where
 * there are too many. Each is `{ start, end, without }`, `without` being the rest of the text.
 */
export function pieces(text) {
  const found = words(text);
  const rows = Math.max(1, Math.min(MOST_ROWS, Math.floor(MOST_CHARACTERS / (text.length + 1))));
  const size = Math.ceil(found.length / rows);
  const cut = [];
  for (let i = 0; i < found.length; i += size) {
    const { start } = found[i];
    const { end } = found[Math.min(i + size, found.length) - 1];
    cut.push({ start, end, without: text.slice(0, start) + text.slice(end) });
  }
  return cut;
}
