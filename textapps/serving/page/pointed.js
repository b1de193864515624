// Pieces of a text that one points at: with the mouse, a finger, or the keyboard.

import { element, fitted } from "./dom.js";

const KEYS = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 };

/** A piece that shows `text`. */
export function piece(text, attributes = {}) {
  return element("span", { role: "option", "aria-selected": "false", ...attributes }, text);
}

/**
 * A box of pieces and of plain text between them. The Tab key reaches one piece, the arrow keys the
 * others. `look(i)` is told which piece is pointed at, null for none.
 */
export function pointed(label, attributes, content, look) {
  const pieces = content.filter((each) => each instanceof Element);
  let at = 0;
  const go = (i) => {
    pieces[at].tabIndex = -1;
    at = i;
    pieces[at].tabIndex = 0;
    pieces[at].focus();
  };
  const show = (i) => {
    pieces.forEach((each, j) => each.setAttribute("aria-selected", String(i === j)));
    look(i);
  };
  const focused = () => {
    const i = pieces.indexOf(document.activeElement);
    return i < 0 ? null : i;
  };
  pieces.forEach((each, i) => {
    each.tabIndex = i ? -1 : 0;
    each.addEventListener("mouseenter", () => show(i));
    each.addEventListener("mouseleave", () => show(focused()));
    each.addEventListener("focus", () => show(i));
    each.addEventListener("blur", () => show(null));
    each.addEventListener("click", () => go(i));
    each.addEventListener("keydown", (event) => {
      const next = { Home: 0, End: pieces.length - 1 }[event.key] ?? i + (KEYS[event.key] ?? NaN);
      if (!(next in pieces)) return;
      event.preventDefault();
      go(next);
    });
  });
  return fitted(element("div", { role: "listbox", "aria-label": label, dir: "auto", ...attributes }, ...content));
}

/** Colour a piece by a weight from -1 to 1; 0 takes the colour away. */
export function tint(piece, weight) {
  piece.classList.toggle("for", weight > 0);
  piece.classList.toggle("against", weight < 0);
  piece.style.setProperty("--weight", String(Math.min(1, Math.abs(weight))));
}

/** A line that says what is pointed at, also to screen readers. */
export function teller(hint) {
  const line = element("p", { class: "hint teller", role: "status" }, hint);
  return { line, tell: (...words) => line.replaceChildren(...(words.length ? words : [hint])) };
}

/** A sample of a colour with words, for a legend. */
export function sample(kind, ...words) {
  const swatch = element("span", { class: `swatch ${kind}`, "aria-hidden": "true" });
  swatch.style.setProperty("--weight", "0.8");
  return element("span", {}, swatch, ...words);
}
