// Sentence in, translations out, best first.

import { element, field } from "./dom.js";
import { Question } from "./question.js";

const IMPOSSIBLE = -1e9; // the score of a missing translation

export const title = "Translator";
export const what = "Type a sentence to see its translations and their ranking.";

export function fits({ signatures: { serving_default: signature } }) {
  if (!signature) return false;
  return Object.keys(signature.inputs).join() === "source" && "translation" in signature.outputs;
}

/** The elements of the panel. */
export function build(model) {
  const source = element("textarea", { rows: 3, required: true });
  const answer = element("div", { class: "answer" });
  const question = new Question({
    fields: [field("Sentence", source)],
    button: "Translate",
    answer,
    run: async (signal) => {
      const ranked = await translations(model, source.value, signal);
      answer.replaceChildren(best(ranked[0]), ...(ranked.length > 1 ? [others(ranked)] : []));
      question.say(ranked[0].text);
    },
  });
  return question.parts;
}

async function translations(model, source, signal) {
  if (model.has("n_best")) {
    const [{ translations, scores }] = await model.predict([{ source }], "n_best", signal);
    return translations
      .map((text, i) => ({ text, score: scores[i] }))
      .filter(({ score }, i) => i === 0 || score > IMPOSSIBLE / 2);
  }
  const [{ translation, score }] = await model.predict([{ source }], "serving_default", signal);
  return [{ text: translation, score }];
}

function best({ text, score }) {
  return element(
    "div",
    { class: "translation" },
    element("p", { class: "best" }, text || "(an empty translation)"),
    scored(score),
  );
}

/** All translations, with their probabilities relative to the best one. */
function others(ranked) {
  const [{ score: highest }] = ranked;
  const rows = ranked.map(({ text, score }) => {
    const bar = element("span", { class: "bar", "aria-hidden": "true" });
    bar.style.setProperty("--share", String(Math.exp(score - highest)));
    return element("li", {}, element("span", { class: "text" }, text), bar, scored(score));
  });
  return element(
    "div",
    {},
    element("h3", {}, "Ranking"),
    element("ol", { class: "ranked" }, ...rows),
    element("p", { class: "hint" }, "Scores are length-normalised log-probabilities: closer to 0 is better."),
  );
}

function scored(score) {
  const text = Number.isFinite(score) ? score.toFixed(2).replace("-", "−") : "–";
  return element("span", { class: "score" }, text);
}
