// Continues a seed text, character by character.

import { element, field, slider } from "./dom.js";
import { count, duration, whole } from "./numbers.js";
import { Question } from "./question.js";

const LARGEST_SEED = 2 ** 31;
const STEPS = { integer: 1, number: 0.01 }; // by JSON Schema's type

export const title = "Text generator";
export const what = "Start a text and watch the model continue it.";

export function fits({ signatures }) {
  return "start" in signatures && "continue" in signatures;
}

/** The elements of the panel. */
export function build(model) {
  const seed = element("textarea", { rows: 3, spellcheck: "false" });
  const options = controls(model.manifest.options ?? {});
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

/** A slider for each number among the options, made from its JSON schema in the manifest. */
function controls({ random_seed: _, ...options }) {
  const numbers = Object.entries(options).filter(([, { type }]) => type in STEPS);
  const sliders = numbers.map(([name, schema]) => ({ name, schema, ...sliderOf(name, schema) }));
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
  const optional = sliders.filter(({ schema }) => "off" in schema);
  const others = sliders.filter(({ schema }) => !("off" in schema));
  const more = element(
    "details",
    { class: "more" },
    element("summary", {}, "More options"),
    element(
      "div",
      { class: "controls" },
      ...optional.map(({ row }) => row),
      element("div", { class: "random" }, field("Random seed", number), fresh),
    ),
  );
  number.addEventListener("invalid", () => {
    more.open = true; // the invalid field must be visible
  });
  return {
    element: element("div", { class: "controls" }, ...others.map(({ row }) => row), more),
    draw() {
      if (another.checked) number.value = String(Math.floor(Math.random() * LARGEST_SEED));
    },
    values: () => ({
      ...Object.fromEntries(sliders.map(({ name, range }) => [name, range.valueAsNumber])),
      random_seed: number.valueAsNumber,
    }),
  };
}

/** Its range is the usual one, but has room for the default. */
function sliderOf(name, schema) {
  const { type, default: value, minimum, exclusiveMinimum, maximum, usual_maximum, off } = schema;
  const words = name.replaceAll("_", " ");
  const say = type === "integer" ? whole : (number) => number.toFixed(2);
  return slider(words[0].toUpperCase() + words.slice(1), {
    min: minimum ?? exclusiveMinimum + STEPS[type],
    max: Math.max(usual_maximum ?? maximum, value),
    step: STEPS[type],
    value,
    say: (number) => (number === off ? "off" : say(number)),
    hint: schema.description,
  });
}
