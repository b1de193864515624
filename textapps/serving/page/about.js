// Facts about a model: its origin, metrics, versions and signatures.

import { element } from "./dom.js";
import { percent, whole } from "./numbers.js";

const STATES = {
  START: "waiting",
  LOADING: "loading",
  AVAILABLE: "serving",
  UNLOADING: "unloading",
  END: "unloaded",
};

const HEADLINES = ["accuracy", "bleu", "bits_per_character"]; // the first that a model has
const shares = ["accuracy", "macro_f1"];
const METRICS = {
  accuracy: "Accuracy",
  macro_f1: "Macro F1",
  auc: "AUC",
  log_loss: "Log loss",
  bits_per_character: "Bits per character",
  perplexity: "Perplexity",
  bleu: "BLEU",
  chrf: "chrF",
};

/** The figure that says most about a model, null if it was not evaluated. */
export function figure({ metrics: measured = {} }) {
  const name = HEADLINES.find((each) => typeof measured[each] === "number");
  return name ? `${METRICS[name]} ${say(name)(measured[name])}` : null;
}

/** What stands under the name of a model: data, date and figure; null if nothing is known. */
export function facts(manifest) {
  const { data, exported } = manifest;
  const date = exported ? new Date(exported) : null;
  const day = { day: "numeric", month: "short", year: "numeric", timeZone: "UTC" };
  const known = [
    data ? element("span", {}, "trained on ", element("bdi", { class: "name" }, data)) : null,
    date && !Number.isNaN(date.getTime())
      ? element("span", {}, "exported ", element("time", { datetime: exported }, date.toLocaleDateString("en-GB", day)))
      : null,
    figure(manifest) ? element("span", {}, element("b", {}, figure(manifest)), " (test split)") : null,
  ].filter(Boolean);
  return known.length ? element("p", { class: "facts" }, ...known) : null;
}

/** The side of a panel. */
export function about(model) {
  return element(
    "aside",
    { class: "about", "aria-label": `About ${model.name}` },
    section("Versions", versions(model)),
    section("Model", origin(model.manifest)),
    section("Test metrics", evaluation(model.manifest)),
    section("Signatures", signatures(model.signatures)),
  );
}

function section(title, content) {
  return content && element("section", {}, element("h3", {}, title), content);
}

function versions({ versions: all, reachable }) {
  const rows = all.map(({ version, state, message }) =>
    element(
      "li",
      { class: reachable ? (message ? "failed" : state.toLowerCase()) : "unknown" },
      element("span", { class: "light", "aria-hidden": "true" }),
      element("b", {}, `Version ${version}`),
      ` ${reachable ? (message ? "failed" : (STATES[state] ?? state)) : "not reachable"}`,
      message ? element("p", { class: "message" }, message) : null,
    ),
  );
  return element("ul", { class: "versions" }, ...rows);
}

function origin({ backbone, preset, metrics: measured, versions: made }) {
  return list([
    ["Backbone", backbone],
    ["Preset", preset],
    ["Parameters", measured?.parameters && whole(measured.parameters)],
    ["textapps", made?.textapps],
    ["TensorFlow", made?.tensorflow],
  ]);
}

/** The metrics, or that an export of textapps has none; null for other models. */
function evaluation({ task, metrics: found = {} }) {
  if (Object.keys(found).length) return metrics(found);
  const remedy = "Not evaluated: the metrics and the number of parameters come from evaluate. Run it, then export again.";
  return task ? element("p", { class: "hint" }, remedy) : null;
}

function metrics(measured) {
  return list(
    Object.entries(METRICS).map(([name, title]) => {
      const [value, low, high] = ["", "_low", "_high"].map((end) => measured[name + end]);
      if (typeof value !== "number") return [title, null];
      const interval = typeof low === "number" ? `${say(name)(low)} to ${say(name)(high)}` : null;
      return [title, say(name)(value), interval];
    }),
  );
}

/** How a metric is written. */
function say(name) {
  return shares.includes(name) ? percent : (value) => value.toPrecision(4);
}

function signatures(all) {
  const described = Object.entries(all).map(([name, { inputs, outputs }]) =>
    element(
      "details",
      {},
      element("summary", {}, name),
      element("h4", {}, "inputs"),
      tensors(inputs),
      element("h4", {}, "outputs"),
      tensors(outputs),
    ),
  );
  return described.length ? element("div", { class: "signatures" }, ...described) : null;
}

function tensors(all) {
  const rows = Object.entries(all).map(([name, { dtype, shape }]) => {
    const sizes = shape ? `[${shape.map((size) => (size < 0 ? "·" : size)).join(", ")}]` : "[…]";
    return element("li", {}, name, " ", element("span", {}, `${dtype}${sizes}`));
  });
  return element("ul", { class: "tensors" }, ...rows);
}

/** Rows of name, value and interval; null if no value is known. */
function list(rows) {
  const known = rows.filter(([, value]) => value);
  if (!known.length) return null;
  return element(
    "dl",
    {},
    ...known.flatMap(([name, value, interval]) => [
      element("dt", {}, name),
      element("dd", {}, value, interval ? element("small", {}, interval) : null),
    ]),
  );
}
