// Continues a seed text, character by character.

import { element, field, slider } from "./dom.js";
import { count, duration } from "./numbers.js";
import { Question } from "./question.js";

const LARGEST_SEED = 2 ** 31;

export const title = "Text generator";
export const what = "Start a text and watch the model continue it.";

export function fits({ signatures }) {
  return "start" in signatures && "continue" in signatures;
}

/** The elements of the panel. */
export function build(model) {
  const seed = element("textarea", { rows: 3, spellcheck: "false" });
  const options = controls(model.manifest.decoding ?? {});
  const answer = element("div", { class: "answer" });
  const copy = element(
    "button",
    { type: "button", class: "quiet", hidden: true, click: () => copyText() },
    "Copy",
  );
  let written = null;
  const copyText = async () => {
    try {
      await navigator.clipboard.writeText(written.textContent);
      copy.textContent = "Copied";
    } catch {
      copy.textContent = "Not allowed";
    }
  };
  const question = new Question({
    fields: [field("Seed", seed, "The start of the text; may be empty."), options.element],
    button: "Generate",
    answer,
    extras: [copy],
    run: async (signal) => {
      options.draw();
      copy.textContent = "Copy";
      written = sheet(answer, seed.value);
      copy.hidden = !navigator.clipboard; // browsers have none on pages without https
      const texts = model.stream({ seed: seed.value, ...options.values() }, signal);
      const took = await write(written, texts, signal);
      question.say(written.textContent);
      return took;
    },
  });
  return question.parts;
}

/** The output element, which starts with the seed. */
function sheet(answer, seed) {
  const written = element(
    "div",
    { class: "written", tabindex: "0", role: "region", "aria-label": "Generated text" },
    element("span", { class: "seed" }, seed),
  );
  answer.replaceChildren(written);
  return written;
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

function controls(defaults) {
  const { length = 500, temperature = 0.8, top_k = 0, top_p = 1, repetition_penalty = 1 } = defaults;
  const sliders = {
    length: slider("Length", {
      min: 1,
      max: Math.max(3000, length),
      step: 1,
      value: length,
      say: (value) => count(value, "character"),
    }),
    temperature: slider("Temperature", {
      min: 0,
      max: Math.max(2, temperature),
      step: 0.01,
      value: temperature,
      say: (value) => (value === 0 ? "0: the likeliest always" : value.toFixed(2)),
    }),
    top_k: slider("Top k", {
      min: 0,
      max: Math.max(100, top_k),
      step: 1,
      value: top_k,
      say: (value) => (value === 0 ? "all characters" : `the ${value} likeliest`),
    }),
    top_p: slider("Top p", {
      min: 0.01,
      max: 1,
      step: 0.01,
      value: top_p,
      say: (value) => (value === 1 ? "all characters" : `${Math.round(100 * value)} % of probability`),
    }),
    repetition_penalty: slider("Repetition penalty", {
      min: 1,
      max: Math.max(2, repetition_penalty),
      step: 0.01,
      value: repetition_penalty,
      say: (value) => (value === 1 ? "none" : value.toFixed(2)),
    }),
  };
  const number = element("input", {
    type: "number",
    min: 0,
    max: LARGEST_SEED,
    step: 1,
    value: 0,
    required: true,
  });
  const another = element("input", { type: "checkbox", checked: true });
  number.addEventListener("input", () => {
    another.checked = false;
  });
  const fresh = element("label", { class: "check" }, another, "new for each text");
  const { length: long, temperature: warm, ...others } = sliders;
  const more = element(
    "details",
    { class: "more" },
    element("summary", {}, "More options"),
    element(
      "div",
      { class: "controls" },
      ...Object.values(others).map(({ row }) => row),
      element("div", { class: "random" }, field("Random seed", number), fresh),
    ),
  );
  number.addEventListener("invalid", () => {
    more.open = true; // the invalid field must be visible
  });
  return {
    element: element("div", { class: "controls" }, long.row, warm.row, more),
    draw() {
      if (another.checked) number.value = String(Math.floor(Math.random() * LARGEST_SEED));
    },
    values: () => ({
      ...Object.fromEntries(
        Object.entries(sliders).map(([name, { range }]) => [name, range.valueAsNumber]),
      ),
      random_seed: number.valueAsNumber,
    }),
  };
}
