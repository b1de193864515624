// Where a translator looked in the sentence: attention between the pieces of both texts.

import { element } from "./dom.js";
import { percent } from "./numbers.js";
import { piece, pointed, teller, tint } from "./pointed.js";

const END = "</s>";
const NAMED = 3; // pieces that are listed
const HINT = "Point at a piece of either text, or use the arrow keys, to see what it is connected with.";

/** Show it in `place`, as the signature `explain` gives it. */
export async function showAlignment(place, model, source, translation, asking) {
  const [found] = await model.predict([{ source, translation }], "explain", asking);
  const sources = found.source_pieces.filter(Boolean);
  const targets = found.target_pieces.filter(Boolean);
  if (!sources.length) return;
  const { line, tell } = teller(HINT);
  const sides = [targets, sources].map((texts) => texts.map((text) => piece(...spelt(text))));
  const rows = targets.map((_, t) => sources.map((_, s) => found.attention[t][s]));
  const columns = sources.map((_, s) => targets.map((_, t) => found.attention[t][s]));
  const look = (own, weights, pieces, texts, words) => (i) => {
    sides.flat().forEach((each) => tint(each, 0));
    if (i === null) return tell();
    const largest = Math.max(...weights[i], Number.MIN_VALUE);
    pieces.forEach((each, j) => tint(each, weights[i][j] > 0.02 * largest ? weights[i][j] / largest : 0));
    return tell(named(own[i]), words, ...strongest(weights[i], texts));
  };
  place.replaceChildren(
    element("h3", {}, "Attention"),
    pointed("Translation", { class: "words aligned" }, sides[0], look(targets, rows, sides[1], sources, " looks at ")),
    pointed("Sentence", { class: "words aligned" }, sides[1], look(sources, columns, sides[0], targets, " is looked at by ")),
    line,
    element("p", { class: "hint" }, "From the last layer of the decoder, as the mean of its heads."),
  );
}

/** Text and attributes of a piece. */
function spelt(text) {
  return text === END ? ["∎", { title: "end of the sentence" }] : [text];
}

function named(text) {
  return text === END ? "the end of the sentence" : element("bdi", { class: "name" }, text.trim() || "a space");
}

function strongest(weights, texts) {
  const order = weights.map((weight, i) => ({ weight, text: texts[i] })).sort((a, b) => b.weight - a.weight);
  return order.slice(0, NAMED).flatMap(({ weight, text }, i) => [i ? ", " : "", named(text), ` ${percent(weight)}`]);
}
