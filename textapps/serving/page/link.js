// Links to a model, which may carry an input. All of it stands behind the #: no server sees it.

/** The address of a model with these values, which are texts and numbers by name. */
export function linkTo(model, values) {
  const query = new URLSearchParams(values);
  return `${location.href.split("#")[0]}#${encodeURIComponent(model)}?${query}`;
}

/** The model and the values in a fragment; null for the values if there are none. */
export function read(fragment) {
  const [name, ...rest] = fragment.replace(/^#/, "").split("?");
  const values = rest.length ? Object.fromEntries(new URLSearchParams(rest.join("?"))) : null;
  return { name: decode(name), values };
}

function decode(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
