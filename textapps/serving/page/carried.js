// The words that determined a label, found by leaving out each of them.

import { element, scroller } from "./dom.js";
import { points } from "./numbers.js";
import { pieces } from "./occlusion.js";

const NAMED = 3; // words listed below the text
const SMALLEST = 0.001; // the smallest change of probability that is coloured

/** Show them in `place`. `whole` is the answer to the text, `predict(rows)` gives those to others. */
export async function showCarried(place, text, whole, predict) {
  const cut = pieces(text);
  if (cut.length < 2) return;
  const title = element("h3", {}, "Words that determined the label");
  place.replaceChildren(title, element("p", { class: "hint" }, "Leaving out one word at a time…"));
  const answers = await predict(cut.map(({ without }) => ({ text: without })));
  const label = whole.scores.indexOf(Math.max(...whole.scores));
  const falls = answers.map(({ scores }) => whole.scores[label] - scores[label]);
  place.replaceChildren(
    title,
    coloured(text, cut, falls),
    legend(whole.label),
    named(text, cut, falls),
  );
}

/** The text with each piece coloured by the effect of leaving it out. */
function coloured(text, cut, falls) {
  const largest = Math.max(0.02, ...falls.filter(Number.isFinite).map(Math.abs));
  const shown = scroller("Coloured words", { class: "words", dir: "auto" });
  let end = 0;
  cut.forEach((piece, i) => {
    const word = text.slice(piece.start, piece.end);
    const mark = element("span", { title: `${points(-falls[i])} points without it` }, word);
    if (Math.abs(falls[i]) >= SMALLEST) {
      mark.className = falls[i] > 0 ? "for" : "against";
      mark.style.setProperty("--weight", String(Math.abs(falls[i]) / largest));
    }
    shown.append(text.slice(end, piece.start), mark);
    end = piece.end;
  });
  shown.append(text.slice(end));
  return shown;
}

function legend(label) {
  const sample = (kind) => {
    const swatch = element("span", { class: `swatch ${kind}`, "aria-hidden": "true" });
    swatch.style.setProperty("--weight", "0.8");
    return swatch;
  };
  return element(
    "p",
    { class: "legend" },
    element("span", {}, sample("for"), "supports ", element("bdi", { class: "name" }, label)),
    element("span", {}, sample("against"), "opposes it"),
  );
}

function named(text, cut, falls) {
  const strongest = cut
    .map((piece, i) => ({ word: text.slice(piece.start, piece.end), fall: falls[i] }))
    .filter(({ fall }) => Math.abs(fall) >= SMALLEST)
    .sort((a, b) => Math.abs(b.fall) - Math.abs(a.fall))
    .slice(0, NAMED);
  if (!strongest.length) {
    return element("p", { class: "hint" }, "No single word determines the label: leaving out any one of them changes little.");
  }
  const parts = strongest.flatMap(({ word, fall }, i) => [
    i ? ", " : "",
    element("bdi", { class: "name" }, word),
    ` ${points(-fall)}`,
  ]);
  return element("p", { class: "hint" }, "Change of the probability without the word, in points: ", ...parts, ".");
}
