// The options of a generator as controls, made from their JSON schemas in the manifest.

import { element, field, slider } from "./dom.js";
import { whole } from "./numbers.js";

const LARGEST_SEED = 2 ** 31;
const STEPS = { integer: 1, number: 0.01 }; // by JSON Schema's type

/** A slider for each number: `element`, `draw()`, `values()` and `fill(values)`. */
export function controls({ random_seed: _, ...options }) {
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
    fill(values) {
      const named = [...sliders, { name: "random_seed", range: number }];
      for (const { name, range } of named.filter((one) => one.name in values)) {
        if (!Number.isFinite(Number(values[name]))) continue;
        range.value = String(values[name]);
        range.dispatchEvent(new Event("input"));
      }
    },
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
