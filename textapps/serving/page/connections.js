// What surprised a generator in a text, and which characters before it each one hangs on.

import { Asking } from "./asking.js";
import { element } from "./dom.js";
import { count, percent } from "./numbers.js";
import { piece, pointed, sample, teller, tint } from "./pointed.js";

const MOST_NATS = 5; // of surprise: the full colour
const SMALLEST = 0.05; // of the largest gradient, below which nothing is coloured
const HINT = "Point at a character, or use the arrow keys, to see which characters before it it hangs on.";

/** A button that opens what the signature `explain` says of a text. */
export function connections(model, text) {
  const place = element("div", { class: "carried" });
  const button = element("button", { type: "button", class: "quiet" }, "Show surprise and connections");
  button.addEventListener("click", async () => {
    button.disabled = true;
    try {
      const asking = new Asking(AbortSignal.timeout(60_000));
      const [found] = await model.predict([{ text }], "explain", asking);
      place.replaceChildren(...shown(found));
      button.remove();
    } catch (error) {
      place.replaceChildren(element("p", { class: "error", role: "alert" }, error.message));
      button.disabled = false;
    }
  });
  return [button, place];
}

function shown({ characters, begin, surprise, gradients }) {
  const texts = characters.filter(Boolean);
  const { line, tell } = teller(HINT);
  const pieces = texts.map((text) => piece(text === "\n" ? "⏎\n" : text));
  const colour = (weights) => pieces.forEach((each, i) => tint(each, weights(i)));
  const look = (i) => {
    const row = i === null ? null : gradients[i].slice(0, i);
    const largest = row && Math.max(...row);
    if (!row || !(largest > 0)) colour((j) => -surprise[j] / MOST_NATS);
    else colour((j) => (j < i && row[j] > SMALLEST * largest ? row[j] / largest : 0));
    if (i === null) return tell();
    const chance = `: probability ${percent(Math.exp(-surprise[i]))}`;
    const most = largest > 0 ? [", hangs most on ", named(texts[row.indexOf(largest)])] : [];
    return tell(named(texts[i]), chance, ...most);
  };
  const box = pointed("Characters", { class: "words letters" }, pieces, look);
  look(null);
  return [
    element("h3", {}, "Surprise and connections"),
    box,
    line,
    element("p", { class: "legend" }, sample("against", "surprised the model"), sample("for", "what a character hangs on")),
    begin ? element("p", { class: "hint" }, `The last ${count(texts.length, "character")}; what is before them is read too.`) : null,
  ].filter(Boolean);
}

function named(text) {
  const words = { " ": "a space", "\n": "a new line" };
  return words[text] ?? element("bdi", { class: "name" }, text);
}
