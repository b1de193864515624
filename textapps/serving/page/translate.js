// Sentence in, translations out, best first.

import { showAlignment } from "./alignment.js";
import { element, scroller } from "./dom.js";
import { textInput } from "./inputs.js";
import { length } from "./numbers.js";

const IMPOSSIBLE = -1e9; // the score of a missing translation
const EXPLAINED = 2000; // characters, the limit of the signature

export const title = "Translator";
export const what = "Type a sentence to see its translations and their ranking.";

export function fits({ signatures: { serving_default: signature } }) {
  if (!signature) return false;
  return Object.keys(signature.inputs).join() === "source" && "translation" in signature.outputs;
}

export function inputs() {
  return { ...textInput("source", "Sentence", { rows: 3, required: true }), button: "Translate" };
}

export async function answer(model, { source }, place, asking) {
  const ranked = await translations(model, source, asking);
  const aligned = element("div", { class: "carried" });
  place.replaceChildren(best(ranked[0]), aligned, ...(ranked.length > 1 ? [others(ranked)] : []));
  const short = [source, ranked[0].text].every((text) => text && text.length <= EXPLAINED);
  return {
    summary: ranked[0].text,
    rest: () => model.has("explain") && short && showAlignment(aligned, model, source, ranked[0].text, asking),
  };
}

export function requests(model, { source }) {
  const one = { name: "best", action: "predict", body: { instances: [{ source }] } };
  if (!model.has("n_best")) return [one];
  const body = { signature_name: "n_best", instances: [{ source }] };
  return [{ name: "several", action: "predict", body }, one];
}

export function rows() {
  return {
    input: "source",
    signature: "serving_default",
    row: (source) => ({ source }),
    outputs: ({ translation, score }) => ({ translation, score }),
  };
}

async function translations(model, source, asking) {
  if (model.has("n_best")) {
    const [{ translations, scores }] = await model.predict([{ source }], "n_best", asking);
    return translations
      .map((text, i) => ({ text, score: scores[i] }))
      .filter(({ score }, i) => i === 0 || score > IMPOSSIBLE / 2);
  }
  const [{ translation, score }] = await model.predict([{ source }], "serving_default", asking);
  return [{ text: translation, score }];
}

function best({ text, score }) {
  return element(
    "div",
    { class: "translation" },
    scroller("Translation", { class: "best", dir: "auto" }, text || "(an empty translation)"),
    scored(score),
  );
}

/** All translations, with their probabilities relative to the best one. */
function others(ranked) {
  const [{ score: highest }] = ranked;
  const rows = ranked.map(({ text, score }) => {
    const bar = element("span", { class: "bar", "aria-hidden": "true" });
    bar.style.setProperty("--share", length(Math.exp(score - highest)));
    return element("li", {}, element("bdi", { class: "text" }, text), bar, scored(score));
  });
  return element(
    "div",
    {},
    element("h3", {}, "Ranking"),
    scroller("Ranking", { class: "ranking" }, element("ol", { class: "ranked" }, ...rows)),
    element("p", { class: "hint" }, "Scores are length-normalised log-probabilities: closer to 0 is better."),
  );
}

function scored(score) {
  const text = Number.isFinite(score) ? score.toFixed(2).replace("-", "−") : "–";
  return element("span", { class: "score" }, text);
}
