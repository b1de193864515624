// A button that copies a text.

import { element } from "./dom.js";

const SHOWN_MS = 2000;

/** `text` gives what to copy at that moment. */
export function copyButton(label, text) {
  const words = element("span", { "aria-live": "polite" }, label);
  let timer = null;
  const click = async () => {
    words.textContent = (await copy(text())) ? "Copied" : "Not allowed";
    clearTimeout(timer);
    timer = setTimeout(() => {
      words.textContent = label;
    }, SHOWN_MS);
  };
  return element("button", { type: "button", class: "quiet", click }, words);
}

/** Whether it could be copied. */
async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copySelected(text); // browsers have no clipboard on pages without https
  }
}

function copySelected(text) {
  const focused = document.activeElement;
  const area = element("textarea", { class: "unseen", "aria-hidden": "true", tabindex: "-1" });
  area.value = text;
  document.body.append(area);
  area.select();
  const done = document.execCommand("copy");
  area.remove();
  focused?.focus();
  return done;
}
