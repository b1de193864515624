// Any signature of any model: JSON in, JSON out.

import { element, field, scroller } from "./dom.js";
import { parse, pretty } from "./json.js";

const SPOKEN = 500; // characters of JSON that a screen reader reads out by itself

export const title = "Model";
export const what = "Send rows of inputs as JSON and see the outputs as JSON.";

export function inputs(model) {
  const names = Object.keys(model.signatures);
  const signature = element("select", {}, ...names.map((name) => element("option", { value: name }, name)));
  const body = element("textarea", { rows: 6, class: "code", spellcheck: "false", required: true });
  const begin = () => {
    body.value = sample(model, signature.value);
  };
  signature.addEventListener("change", begin);
  if (names.includes("serving_default")) signature.value = "serving_default";
  begin();
  return {
    elements: [field("Signature", signature), field("Request", body)],
    button: "Send",
    values: () => ({ body: body.value }),
    fill(values) {
      if (typeof values.body !== "string") return;
      body.value = values.body;
      signature.value = named(values.body, names) ?? signature.value;
    },
    brief: (values) => values.body,
  };
}

export async function answer(model, { body }, place, asking) {
  place.replaceChildren();
  checkJson(body);
  const text = pretty(await model.ask(body, asking));
  const output = element("pre", {}, element("code", {}, text));
  place.replaceChildren(scroller("Response", { class: "scrolls" }, output));
  return { summary: text.slice(0, SPOKEN) };
}

export function requests(model, { body }) {
  return [{ name: "predict", action: "predict", body }];
}

/** Of a signature that takes one text: a column of them. */
export function rows(model) {
  const { inputs, outputs } = model.signatures.serving_default ?? { inputs: {}, outputs: {} };
  const [[name, { dtype, shape }] = [null, {}], ...more] = Object.entries(inputs);
  const single = !more.length && dtype === "string" && shape?.length === 1 && shape[0] < 0;
  if (!single || name.endsWith("_bytes")) return null;
  return {
    input: name,
    signature: "serving_default",
    row: (text) => ({ [name]: text }),
    outputs: (found) => Object.fromEntries(Object.keys(outputs).map((key) => [key, found[key]])),
  };
}

function checkJson(text) {
  try {
    parse(text);
  } catch (error) {
    throw new Error(`The request is not JSON: ${error.message}`);
  }
}

/** The signature that a request names; null if it names none of them. */
function named(body, names) {
  try {
    const { signature_name: name = "serving_default" } = parse(body);
    return names.includes(name) ? name : null;
  } catch {
    return null;
  }
}

/** A request that the signature takes, to be changed by hand. */
function sample(model, name) {
  const { inputs } = model.signatures[name] ?? { inputs: {} };
  const values = Object.entries(inputs);
  const batched = values.every(([, { shape }]) => shape?.[0] === -1);
  const named = Object.fromEntries(
    values.map(([input, { dtype, shape }]) => [
      input,
      filled(batched ? shape.slice(1) : (shape ?? []), like(input, dtype)),
    ]),
  );
  const rows = values.length === 1 ? Object.values(named) : [named];
  const body = { signature_name: name, ...(batched ? { instances: rows } : { inputs: named }) };
  return pretty(body);
}

function filled([size, ...inner], value) {
  if (size === undefined) return value;
  return Array.from({ length: size < 0 ? 2 : size }, () => filled(inner, value));
}

function like(name, dtype) {
  if (dtype === "string") return name.endsWith("_bytes") ? { b64: "" } : "text";
  if (dtype === "bool") return false;
  return /half|float|double/.test(dtype) ? 1.5 : 1;
}
