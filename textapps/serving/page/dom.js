// Making elements. Text is always text: nothing here or elsewhere parses markup.

let made = 0;

/** An identity that no other element has, for labels and descriptions. */
export function identity(stem) {
  made += 1;
  return `${stem}-${made}`;
}

/**
 * An element. Functions among the attributes listen (`click`, `input`, …), `true` stands for an
 * attribute without a value, `null`, `undefined` and `false` for none. Strings become text.
 */
export function element(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") node.addEventListener(name, value);
    else if (value === true) node.setAttribute(name, "");
    else if (value !== null && value !== undefined && value !== false) {
      node.setAttribute(name, String(value));
    }
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

/** A region that scrolls at the height that its style gives it, by keyboard too. */
export function region(label, attributes = {}, ...children) {
  return element("div", { tabindex: "0", role: "region", "aria-label": label, ...attributes }, ...children);
}

/** A region that scrolls only when it is really long: see `fitted`. */
export function scroller(...parts) {
  return fitted(region(...parts));
}

const LITTLE = 1.5; // times the height of a box: content up to this height is shown whole
const sizes = new ResizeObserver((entries) => {
  // In the next frame, because browsers report it as an error when this changes a size at once.
  requestAnimationFrame(() => entries.forEach(({ target }) => fit(target)));
});

/** The same box, which has the class `whole` unless its content is much taller than the box. */
export function fitted(box) {
  sizes.observe(box);
  return box;
}

function fit(box) {
  box.classList.remove("whole");
  box.classList.toggle("whole", box.scrollHeight <= LITTLE * box.clientHeight);
}

/**
 * Scroll a list sideways as far as this item of it needs. `scrollIntoView` would do it too, but then
 * the first press of Tab leads to what comes after the item, and not to the top of the page.
 */
export function reveal(item) {
  const list = item.parentElement;
  const [inner, outer] = [item, list].map((one) => one.getBoundingClientRect());
  const edge = parseFloat(getComputedStyle(list).paddingLeft);
  const before = inner.left - outer.left - edge;
  const after = inner.right - outer.right + edge;
  list.scrollLeft += Math.min(before, 0) + Math.max(after, 0);
}

/** A label above a control, and a hint between them. */
export function field(label, control, hint = null) {
  control.id ||= identity("field");
  const described = hint && element("p", { class: "hint", id: `${control.id}-hint` }, hint);
  if (described) control.setAttribute("aria-describedby", described.id);
  return element(
    "div",
    { class: "field" },
    element("label", { for: control.id }, label),
    described,
    control,
  );
}

/** A range with its value beside its label, and a hint; `say` puts a value into words. */
export function slider(label, { min, max, step, value, say = String, hint = null }) {
  const id = identity("slider");
  const described = hint && element("p", { class: "hint", id: `${id}-hint` }, hint);
  const range = element("input", {
    type: "range",
    id,
    min,
    max,
    step,
    value,
    "aria-describedby": described?.id,
  });
  const shown = element("span", { class: "value", "aria-hidden": "true" });
  const show = () => {
    shown.textContent = say(range.valueAsNumber);
    range.setAttribute("aria-valuetext", shown.textContent);
  };
  range.addEventListener("input", show);
  show();
  const head = element("div", { class: "slider-head" }, element("label", { for: id }, label), shown);
  return { range, row: element("div", { class: "field slider" }, head, described, range) };
}
