// The words that a label comes from, each with its share.

import { element } from "./dom.js";
import { signed } from "./numbers.js";
import { piece, pointed, sample, teller, tint } from "./pointed.js";

const NAMED = 3; // words listed below the text
const SMALLEST = 0.02; // of the largest share, below which nothing is coloured
const HINT = "Point at a word, or use the arrow keys, to see its share.";

/** Show them in `place`, as the signature `explain` gives them. */
export async function showShares(place, model, text, asking) {
  const [found] = await model.predict([{ text, label: "" }], "explain", asking);
  const words = found.tokens
    .map((token, i) => ({ token, begin: found.begins[i], end: found.ends[i], share: found.attributions[i] }))
    .filter(({ token }) => token);
  const total = words.reduce((sum, { share }) => sum + Math.abs(share), 0);
  if (!total) return;
  const title = element("h3", {}, "Words that determined the label");
  place.replaceChildren(title, ...coloured(text, words, total), legend(found.label), named(words, total));
}

/** The text with its words coloured by their shares, and a line about the word pointed at. */
function coloured(text, words, total) {
  const largest = Math.max(...words.map(({ share }) => Math.abs(share)));
  const bytes = new TextEncoder().encode(text);
  const part = (begin, end) => new TextDecoder().decode(bytes.subarray(begin, end));
  const { line, tell } = teller(HINT);
  const content = [];
  const shown = [];
  let place = 0;
  for (const word of words) {
    if (word.begin < place) continue; // several tokens of the same characters
    const spelt = part(word.begin, word.end);
    const made = piece(spelt, { title: signed(word.share / total) });
    if (Math.abs(word.share) >= SMALLEST * largest) tint(made, word.share / largest);
    content.push(part(place, word.begin), made);
    shown.push({ ...word, spelt });
    place = word.end;
  }
  content.push(part(place));
  const look = (i) => {
    if (i === null) tell();
    else tell(element("bdi", { class: "name" }, shown[i].spelt), ` ${signed(shown[i].share / total)}`);
  };
  return [pointed("Coloured words", { class: "words" }, content, look), line];
}

function legend(label) {
  return element(
    "p",
    { class: "legend" },
    sample("for", "supports ", element("bdi", { class: "name" }, label)),
    sample("against", "opposes it"),
  );
}

function named(words, total) {
  const strongest = [...words].sort((a, b) => Math.abs(b.share) - Math.abs(a.share)).slice(0, NAMED);
  const parts = strongest.flatMap(({ token, share }, i) => [
    i ? ", " : "",
    element("bdi", { class: "name" }, token),
    ` ${signed(share / total)}`,
  ]);
  return element("p", { class: "hint" }, "Largest shares of all that the words add and take away: ", ...parts, ".");
}
