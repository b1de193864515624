// Labels and their probabilities.

import { element } from "./dom.js";
import { length, percent } from "./numbers.js";

const SHOWN = 10;

/** The predicted label, in large type, with its probability. */
export function verdict({ label, probability }) {
  return element(
    "p",
    { class: "verdict" },
    element("strong", {}, element("bdi", {}, label)),
    " ",
    element("span", { class: "sure" }, percent(probability)),
  );
}

/** A row per label, most probable first; those after the tenth are collapsed. */
export function bars(labels, scores) {
  const rows = scores
    .map((score, i) => ({ label: labels[i] ?? `class ${i}`, score }))
    .sort((a, b) => rank(b.score) - rank(a.score));
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

/** What is no number comes last. */
function rank(score) {
  return Number.isNaN(score) ? -Infinity : score;
}

function list(rows) {
  return element("ul", {}, ...rows.map(row));
}

function row({ label, score }) {
  const bar = element("span", { class: "bar", "aria-hidden": "true" });
  bar.style.setProperty("--share", length(score));
  return element(
    "li",
    {},
    element("bdi", { class: "bar-label" }, label),
    bar,
    element("span", { class: "bar-value" }, percent(score)),
  );
}
