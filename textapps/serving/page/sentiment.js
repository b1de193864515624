// Text in, label out, with the words that determined the label.

import { element, field } from "./dom.js";
import { percent, points } from "./numbers.js";
import { pieces } from "./occlusion.js";
import { Question } from "./question.js";
import { bars, verdict } from "./scores.js";

const EXAMPLES = [
  "A wonderful film: I laughed, I cried.",
  "Two hours that nobody will give back to me.",
  "Great actors, but the plot is dull and the ending makes no sense.",
];
const NAMED = 3; // words listed below the text
const SMALLEST = 0.001; // the smallest change of probability that is coloured

export const title = "Text classifier";
export const what = "Type a text to see its label and the words that determined it.";

export function fits({ signatures: { serving_default: signature } }) {
  if (!signature) return false;
  const { label, probability, scores } = signature.outputs;
  return Object.keys(signature.inputs).join() === "text" && label && probability && scores;
}

/** The elements of the panel. */
export function build(model) {
  const text = element("textarea", { rows: 4, spellcheck: "false", required: true });
  const answer = element("div", { class: "answer" });
  const question = new Question({
    fields: [field("Text", text), examples(text, () => question.ask())],
    button: "Classify",
    answer,
    run: async (signal) => {
      const asked = text.value;
      const [whole] = await model.predict([{ text: asked }], "serving_default", signal);
      const carried = element("div", { class: "carried" });
      answer.replaceChildren(verdict(whole), bars(model.labels, whole.scores), carried);
      question.say(`${whole.label}, ${percent(whole.probability)}`);
      await showCarried(carried, model, asked, whole, signal);
    },
  });
  return question.parts;
}

function examples(text, ask) {
  const buttons = EXAMPLES.map((example) =>
    element(
      "button",
      {
        type: "button",
        class: "example",
        click: () => {
          text.value = example;
          ask();
        },
      },
      example,
    ),
  );
  return element("div", { class: "examples", role: "group", "aria-label": "Examples" }, ...buttons);
}

async function showCarried(place, model, text, whole, signal) {
  const cut = pieces(text);
  if (cut.length < 2) return;
  const title = element("h3", {}, "Words that determined the label");
  place.replaceChildren(title, element("p", { class: "hint" }, "Leaving out one word at a time…"));
  const rows = cut.map(({ without }) => ({ text: without }));
  const answers = await model.predict(rows, "serving_default", signal);
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
  const largest = Math.max(0.02, ...falls.map(Math.abs));
  const shown = element("p", { class: "words" });
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
    element("span", {}, sample("for"), "supports ", element("b", {}, label)),
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
    element("b", {}, word),
    ` ${points(-fall)}`,
  ]);
  return element("p", { class: "hint" }, "Change of the probability without the word, in points: ", ...parts, ".");
}
