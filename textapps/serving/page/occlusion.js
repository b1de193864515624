// Finds the words that determine a prediction: leaves out each one and measures the change.

// This many rows take a few model calls; in a longer text, several words are left out together.
const MOST_ROWS = 200;
const MOST_CHARACTERS = 2_000_000;

/** The words of a text as `{ start, end }`, also in languages without spaces. */
export function words(text) {
  const segments = new Intl.Segmenter(undefined, { granularity: "word" }).segment(text);
  return [...segments]
    .filter(({ isWordLike }) => isWordLike)
    .map(({ index, segment }) => ({ start: index, end: index + segment.length }));
}

/**
 * The pieces of a text that are left out one at a time: words, or groups of neighbouring words if
 * there are too many. Each is `{ start, end, without }`; `without` is the rest of the text.
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
