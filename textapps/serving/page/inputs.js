// An input that is one text.

import { element, field } from "./dom.js";

/** A field for the value `name`: its elements, and how to read and to set it. */
export function textInput(name, label, { hint = null, ...attributes } = {}) {
  const area = element("textarea", { dir: "auto", spellcheck: "false", ...attributes });
  return {
    elements: [field(label, area, hint)],
    values: () => ({ [name]: area.value }),
    fill(values) {
      if (typeof values[name] === "string") area.value = values[name];
    },
    brief: (values) => values[name],
  };
}
