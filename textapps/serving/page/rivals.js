// The choice of a second model, or version, that gets the same input.

import { element, field } from "./dom.js";
import { kindOf } from "./kinds.js";

/**
 * A field for the models of the same kind among `served()`: `element`, `update()`, `chosen()`.
 * Without `served` there is nothing to choose.
 */
export function rivals(model, kind, served) {
  const select = element("select");
  const row = element("div", { class: "rivals", hidden: true }, field("Compare with", select));
  let all = [];
  let listed = null;

  function update() {
    all = served ? candidates(model, kind, served()) : [];
    const names = all.map(named);
    row.hidden = !all.length;
    if (JSON.stringify(names) === listed) return;
    listed = JSON.stringify(names);
    const before = select.value;
    const options = names.map((name) => element("option", { value: name }, name));
    select.replaceChildren(element("option", { value: "" }, "nothing else"), ...options);
    select.value = names.includes(before) ? before : "";
  }

  const chosen = () => all.find((other) => named(other) === select.value) ?? null;
  return { element: served ? row : null, update, chosen };
}

/** A model and its version in words. */
export function named({ name, version }) {
  return `${name}, version ${version}`;
}

/** Other versions of the model that are served, then other models that take the same input. */
function candidates(model, kind, served) {
  const versions = model.versions
    .filter(({ state, version }) => state === "AVAILABLE" && version !== model.version)
    .map(({ version }) => model.pinned(version));
  const takes = (other) => Object.keys(other.signatures.serving_default?.inputs ?? {}).sort().join();
  const others = served
    .filter((other) => other.name !== model.name && other.version !== null)
    .filter((other) => kindOf(other) === kind && takes(other) === takes(model));
  return [...versions, ...others];
}
