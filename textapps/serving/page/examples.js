// Examples from the data of a model, as its manifest has them.

import { element } from "./dom.js";

const SHOWN = 6;

/** Buttons for the examples, some at a time; [] if there are none. `ask(inputs)` asks one. */
export function examples(model, ask) {
  const all = mixed(model.manifest.examples ?? []);
  if (!all.length) return [];
  let first = 0;
  const list = element("div", { class: "examples", role: "group", "aria-label": "Examples" });
  const more = element(
    "button",
    { type: "button", class: "quiet", click: () => show(first + SHOWN) },
    "More examples",
  );
  function show(from) {
    first = from < all.length ? from : 0;
    const shown = all.slice(first, first + SHOWN);
    list.replaceChildren(...shown.map((example) => button(example, ask)));
    if (all.length > SHOWN) list.append(more);
  }
  show(0);
  // What comes with a model of the package was written by hand, and nothing is expected of it.
  const { data } = model.manifest;
  const known = data && all.some(({ expected }) => expected);
  const from = known ? [" from ", element("bdi", {}, data), " (validation split)"] : [];
  const head = element("p", { class: "hint" }, "Examples", ...from);
  return [head, list];
}

function button({ inputs, expected }, ask) {
  const [input] = Object.values(inputs);
  const right = Object.values(expected ?? {})[0];
  const clip = typeof input !== "string";
  const label = clip || expected?.label;
  return element(
    "button",
    {
      type: "button",
      class: "example",
      title: [clip ? null : input, right ? `In the data: ${right}` : null].filter(Boolean).join("\n") || null,
      click: () => ask(clip ? { audio_bytes: input.b64 } : inputs),
    },
    label ? element("bdi", { class: "tag" }, right) : null,
    clip ? null : element("span", { dir: "auto", class: "words-of" }, input.trim().replace(/\s+/g, " ")),
  );
}

/** One of each label, then a second of each, and so on. */
function mixed(all) {
  const seen = new Map();
  const placed = all.map((example) => {
    const label = example.expected?.label ?? "";
    seen.set(label, (seen.get(label) ?? 0) + 1);
    return { example, round: seen.get(label) };
  });
  return placed.sort((a, b) => a.round - b.round).map(({ example }) => example);
}
