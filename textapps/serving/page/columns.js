// Which column of a table a model reads.

// In order of preference, as `textapps predict --input` has them.
const USUAL = [
  ...["text", "review", "sentence", "content", "comment", "body", "message", "tweet"],
  ...["source", "src", "input"],
];

/**
 * The column to choose first: the one that the model was trained on (`trained`, "" if unknown), else
 * one with the name of its input or a usual name, ignoring case, else the one with the longest texts.
 */
export function likelyColumn({ columns, rows }, input, trained = "") {
  if (columns.includes(trained)) return trained;
  const wanted = [trained || input, input, ...USUAL].map((name) => name.toLowerCase());
  const lower = columns.map((name) => name.toLowerCase());
  const known = wanted.find((name) => lower.includes(name));
  if (known) return columns[lower.indexOf(known)];
  const characters = columns.map((name) => rows.reduce((sum, row) => sum + lengthOf(row[name]), 0));
  return columns[characters.indexOf(Math.max(...characters))];
}

/** Of a text; other values of JSON are not what a model of texts reads. */
function lengthOf(value) {
  return typeof value === "string" ? value.length : 0;
}
