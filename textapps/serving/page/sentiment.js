// Text in, label out, with the words that determined the label.

import { element } from "./dom.js";
import { percent } from "./numbers.js";
import { bars, verdict } from "./scores.js";
import { textInput } from "./inputs.js";
import { showShares } from "./wordshares.js";

export const title = "Text classifier";
export const what = "Type a text to see its label and the words that determined it.";

export function fits({ signatures: { serving_default: signature } }) {
  if (!signature) return false;
  const { label, probability, scores } = signature.outputs;
  return Object.keys(signature.inputs).join() === "text" && label && probability && scores;
}

export function inputs() {
  return { ...textInput("text", "Text", { rows: 4, required: true }), button: "Classify" };
}

export async function answer(model, { text }, place, asking) {
  const [whole] = await model.predict([{ text }], "serving_default", asking);
  const carried = element("div", { class: "carried" });
  place.replaceChildren(verdict(whole), bars(model.labels, whole.scores), carried);
  return {
    summary: `${whole.label}, ${percent(whole.probability)}`,
    rest: () => model.has("explain") && showShares(carried, model, text, asking),
  };
}

export function requests(model, { text }) {
  const label = { name: "predict", action: "predict", body: { instances: [{ text }] } };
  if (!model.has("explain")) return [label];
  const body = { signature_name: "explain", instances: [{ text, label: "" }] };
  return [label, { name: "explain", action: "predict", body }];
}

export function rows() {
  return {
    input: "text",
    signature: "serving_default",
    row: (text) => ({ text }),
    outputs: ({ label, probability }) => ({ label, probability }),
  };
}
