// Any signature of any model: JSON in, JSON out, and the same as a command.

import { element, field } from "./dom.js";
import { Question } from "./question.js";

const SHORT = 60; // characters of JSON that stay on one line
const SPOKEN = 500; // characters of JSON that a screen reader reads out by itself

export const title = "Model";
export const what = "Send rows of inputs as JSON and see the outputs as JSON.";

/** The elements of the panel. */
export function build(model) {
  const names = Object.keys(model.signatures);
  const signature = element("select", {}, ...names.map((name) => element("option", {}, name)));
  const body = element("textarea", { rows: 6, class: "code", spellcheck: "false", required: true });
  const command = element("code");
  const output = element("code");
  const answer = element("div", { class: "answer" });
  const show = () => {
    command.textContent = curl(new URL(`${model.path}:predict`, document.baseURI), body.value);
  };
  const begin = () => {
    body.value = example(signature.value, model.signatures[signature.value]);
    show();
  };
  signature.addEventListener("change", begin);
  body.addEventListener("input", show);
  if (names.includes("serving_default")) signature.value = "serving_default";
  begin();

  const question = new Question({
    fields: [field("Signature", signature), field("Request", body)],
    button: "Send",
    answer,
    run: async (signal) => {
      answer.replaceChildren();
      checkJson(body.value);
      const result = await model.ask(body.value, signal);
      output.textContent = pretty(result);
      answer.replaceChildren(element("pre", { tabindex: "0", "aria-label": "Response" }, output));
      question.say(output.textContent.slice(0, SPOKEN));
    },
  });
  const same = element(
    "details",
    { class: "command" },
    element("summary", {}, "As a curl command"),
    element("pre", { tabindex: "0", "aria-label": "Command" }, command),
  );
  return [...question.parts, same];
}

function checkJson(text) {
  try {
    JSON.parse(text);
  } catch (error) {
    throw new Error(`The request is not JSON: ${error.message}`);
  }
}

/** A request that the signature takes, to be changed by hand. */
function example(name, { inputs }) {
  const values = Object.entries(inputs);
  const batched = values.every(([, { shape }]) => shape?.[0] === -1);
  const named = Object.fromEntries(
    values.map(([input, { dtype, shape }]) => [
      input,
      filled(batched ? shape.slice(1) : (shape ?? []), sample(input, dtype)),
    ]),
  );
  const rows = values.length === 1 ? Object.values(named) : [named];
  const body = { signature_name: name, ...(batched ? { instances: rows } : { inputs: named }) };
  return pretty(body);
}

/** JSON with what is short on one line. */
function pretty(value, indent = "") {
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  const inner = `${indent}  `;
  const parts = Array.isArray(value)
    ? value.map((item) => pretty(item, inner))
    : Object.entries(value).map(([key, item]) => `${JSON.stringify(key)}: ${pretty(item, inner)}`);
  const [open, close] = Array.isArray(value) ? "[]" : "{}";
  const line = `${open}${parts.join(", ")}${close}`;
  if (line.length <= SHORT && !line.includes("\n")) return line;
  return `${open}\n${inner}${parts.join(`,\n${inner}`)}\n${indent}${close}`;
}

function filled([size, ...inner], value) {
  if (size === undefined) return value;
  return Array.from({ length: size < 0 ? 2 : size }, () => filled(inner, value));
}

function sample(name, dtype) {
  if (dtype === "string") return name.endsWith("_bytes") ? { b64: "" } : "text";
  if (dtype === "bool") return false;
  return /half|float|double/.test(dtype) ? 1.5 : 1;
}

/** The request for a shell, quoted for one of POSIX. */
function curl(url, body) {
  const quote = (text) => `'${text.replaceAll("'", "'\\''")}'`;
  return `curl ${quote(url.href)} \\\n  -d ${quote(body)}`;
}
