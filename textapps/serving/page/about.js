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

/** The side of a panel. */
export function about(model) {
  return element(
    "aside",
    { class: "about", "aria-label": `About ${model.name}` },
    section("Versions", versions(model)),
    section("Model", origin(model.manifest)),
    section("Test metrics", metrics(model.manifest.metrics ?? {})),
    section("Signatures", signatures(model.signatures)),
  );
}

function section(title, content) {
  return content && element("section", {}, element("h3", {}, title), content);
}

function versions({ versions: list }) {
  const rows = list.map(({ version, state, message }) =>
    element(
      "li",
      { class: message ? "failed" : state.toLowerCase() },
      element("span", { class: "light", "aria-hidden": "true" }),
      element("b", {}, `Version ${version}`),
      ` ${message ? "failed" : (STATES[state] ?? state)}`,
      message ? element("p", { class: "message" }, message) : null,
    ),
  );
  return element("ul", { class: "versions" }, ...rows);
}

function origin({ backbone, preset, metrics: measured, versions: made }) {
  return facts([
    ["Backbone", backbone],
    ["Preset", preset],
    ["Parameters", measured?.parameters && whole(measured.parameters)],
    ["textapps", made?.textapps],
    ["TensorFlow", made?.tensorflow],
  ]);
}

function metrics(measured) {
  return facts(
    Object.entries(METRICS).map(([name, title]) => {
      const say = shares.includes(name) ? percent : (value) => value.toPrecision(4);
      const [value, low, high] = ["", "_low", "_high"].map((end) => measured[name + end]);
      if (typeof value !== "number") return [title, null];
      const interval = typeof low === "number" ? `${say(low)} to ${say(high)}` : null;
      return [title, say(value), interval];
    }),
  );
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
function facts(rows) {
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
