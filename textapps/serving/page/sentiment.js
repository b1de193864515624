// Text in, label out, with the words that determined the label.

import { showCarried } from "./carried.js";
import { element } from "./dom.js";
import { percent } from "./numbers.js";
import { bars, verdict } from "./scores.js";
import { textInput } from "./inputs.js";

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
  const predict = (rows) => model.predict(rows, "serving_default", asking);
  const [whole] = await predict([{ text }]);
  const carried = element("div", { class: "carried" });
  place.replaceChildren(verdict(whole), bars(model.labels, whole.scores), carried);
  return {
    summary: `${whole.label}, ${percent(whole.probability)}`,
    rest: () => showCarried(carried, text, whole, predict),
  };
}

export function requests(model, { text }) {
  return [{ name: "predict", action: "predict", body: { instances: [{ text }] } }];
}

export function rows() {
  return {
    input: "text",
    signature: "serving_default",
    row: (text) => ({ text }),
    outputs: ({ label, probability }) => ({ label, probability }),
  };
}
