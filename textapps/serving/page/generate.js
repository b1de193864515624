// Continues a seed text, character by character.

import { connections } from "./connections.js";
import { copyButton } from "./copy.js";
import { element, region } from "./dom.js";
import { textInput } from "./inputs.js";
import { count, duration } from "./numbers.js";
import { controls } from "./options.js";

export const title = "Text generator";
export const what = "Start a text and watch the model continue it.";

export function fits({ signatures }) {
  return "start" in signatures && "continue" in signatures;
}

export function inputs(model) {
  const seed = textInput("seed", "Seed", { rows: 3, hint: "The start of the text; may be empty." });
  const options = controls(model.manifest.options ?? {});
  return {
    elements: [...seed.elements, options.element],
    button: "Generate",
    values() {
      options.draw();
      return { ...seed.values(), ...options.values() };
    },
    fill(values) {
      seed.fill(values);
      options.fill(values);
    },
    brief: seed.brief,
  };
}

export async function answer(model, values, place, asking) {
  const written = sheet(values.seed);
  place.replaceChildren(written, copyButton("Copy", () => written.textContent));
  const took = await write(written, model.stream(known(model, values), asking), asking.signal);
  const text = written.textContent;
  if (model.has("explain") && text && !asking.signal.aborted) place.append(...connections(model, text));
  return { summary: text, took };
}

export function requests(model, values) {
  const { seed, ...options } = known(model, values);
  const streamed = { name: "streamed", action: "stream", streamed: true, body: { seed, ...options } };
  if (!model.has("generate") || stopText(model)) return [streamed];
  const body = { signature_name: "generate", instances: [row(model, seed, options)] };
  return [streamed, { name: "in one piece", action: "predict", body }];
}

/** With the options of the form, where the model has a signature that takes them. */
export function rows(model) {
  const whole = model.has("generate");
  const stop = stopText(model); // which a stream heeds, but no signature takes
  return {
    input: "seed",
    signature: whole ? "generate" : "serving_default",
    most: 8, // texts in a request: they take longer than other answers
    row: (seed, options) => (whole ? row(model, seed, options) : { seed }),
    outputs: ({ text }) => ({ text: stop ? text.split(stop, 1)[0] : text }),
  };
}

/** The text before which the model's answers end, if there is one. */
function stopText(model) {
  return model.manifest.decoding?.stop;
}

/** Another model may have other options. */
function known(model, { seed, ...options }) {
  const names = Object.keys(model.manifest.options ?? {});
  return { seed, ...Object.fromEntries(Object.entries(options).filter(([name]) => names.includes(name))) };
}

function row(model, seed, options) {
  const { inputs } = model.signatures.generate;
  return { seed, ...Object.fromEntries(Object.entries(options).filter(([name]) => name in inputs)) };
}

/** The output element, which starts with the seed. */
function sheet(seed) {
  return region(
    "Generated text",
    { class: "written", dir: "auto" },
    element("span", { class: "seed" }, seed),
  );
}

/** Write the stream; returns the number of characters and the time. */
async function write(written, texts, signal) {
  const text = document.createTextNode("");
  const caret = element("span", { class: "caret", "aria-hidden": "true" });
  written.append(element("span", {}, text), caret);
  written.setAttribute("aria-busy", "true");
  const begin = performance.now();
  let characters = 0;
  try {
    for await (const piece of texts) {
      const following = written.scrollHeight - written.scrollTop - written.clientHeight < 40;
      text.appendData(piece);
      characters += [...piece].length;
      if (following) written.scrollTop = written.scrollHeight;
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    caret.remove();
    written.removeAttribute("aria-busy");
  }
  const took = `${count(characters, "character")} in ${duration(performance.now() - begin)}`;
  return signal.aborted ? `stopped after ${took}` : took;
}
