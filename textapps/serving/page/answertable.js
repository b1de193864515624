// The table of the answers to a file of rows.

import { element, scroller } from "./dom.js";
import { whole } from "./numbers.js";

const SHOWN = 200; // rows; the download has all

/** `element`, and `add(rows)` of `{ text, outputs }` or `{ text, error }`. */
export function answerTable(input) {
  const head = element("tr");
  const body = element("tbody");
  const note = element("p", { class: "hint" });
  const table = element("table", {}, element("thead", {}, head), body);
  const box = element("div", {}, scroller("Answers", { class: "scrolls" }, table), note);
  let columns = null;
  let total = 0;

  function add(rows) {
    const good = rows.find(({ outputs }) => outputs);
    if (!columns && good) {
      columns = Object.keys(good.outputs);
      const numbers = new Set(columns.filter((name) => typeof good.outputs[name] === "number"));
      const names = ["#", input, ...columns];
      head.replaceChildren(...names.map((name) => heading(name, numbers.has(name) || name === "#")));
    }
    for (const row of rows) {
      total += 1;
      if (total <= SHOWN) body.append(line(total, row, columns ?? []));
    }
    if (total > SHOWN) note.textContent = `The first ${SHOWN} of ${whole(total)} rows; the download has all.`;
  }

  return { element: box, add };
}

function heading(name, number) {
  return element("th", { scope: "col", class: number ? "number" : null }, element("bdi", {}, name));
}

function line(number, { text, outputs, error }, columns) {
  const cells = error
    ? [element("td", { class: "error", colspan: Math.max(1, columns.length) }, error)]
    : columns.map((name) => answered(outputs[name]));
  return element(
    "tr",
    {},
    element("td", { class: "number" }, String(number)),
    element("td", { dir: "auto" }, text),
    ...cells,
  );
}

function answered(value) {
  if (typeof value !== "number") {
    return element("td", { dir: "auto" }, typeof value === "string" ? value : JSON.stringify(value));
  }
  const text = Number.isInteger(value) ? String(value) : value.toPrecision(4);
  return element("td", { class: "number" }, text.replace("-", "−"));
}
