// Labels and their probabilities.

import { element } from "./dom.js";
import { percent } from "./numbers.js";

const SHOWN = 10;

/** The predicted label, in large type, with its probability. */
export function verdict({ label, probability }) {
  return element(
    "p",
    { class: "verdict" },
    element("strong", {}, label),
    " ",
    element("span", { class: "sure" }, percent(probability)),
  );
}

/** A row per label, most probable first; those after the tenth are collapsed. */
export function bars(labels, scores) {
  const rows = scores
    .map((score, i) => ({ label: labels[i] ?? `class ${i}`, score }))
    .sort((a, b) => b.score - a.score);
  const rest = rows.slice(SHOWN);
  return element(
    "div",
    { class: "bars" },
    list(rows.slice(0, SHOWN)),
    rest.length
      ? element("details", {}, element("summary", {}, `${rest.length} more`), list(rest))
      : null,
  );
}

function list(rows) {
  return element("ul", {}, ...rows.map(row));
}

function row({ label, score }) {
  const bar = element("span", { class: "bar", "aria-hidden": "true" });
  bar.style.setProperty("--share", String(score));
  return element(
    "li",
    {},
    element("span", { class: "bar-label" }, label),
    bar,
    element("span", { class: "bar-value" }, percent(score)),
  );
}
