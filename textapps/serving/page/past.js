// The list of what a model was asked before.

import { element } from "./dom.js";

const SHOWN = 200; // characters of an input or an answer

/** A section that opens; `again(values)` asks one of them again. */
export function past(model, history, again) {
  const count = element("span", { class: "count" });
  const list = element("ol", { class: "past" });
  const clear = element(
    "button",
    { type: "button", class: "quiet", click: () => history.clear(model.name) },
    "Delete all",
  );
  const summary = element("summary", {}, "History ", count);
  const section = element(
    "details",
    { class: "tool", hidden: true },
    summary,
    element("p", { class: "hint" }, "Kept in this tab, over a reload, until you close it. Click one to ask it again."),
    list,
    clear,
  );
  const show = () => {
    const entries = history.of(model.name);
    const focused = document.activeElement;
    const inside = list.contains(focused) || focused === clear;
    section.hidden = !entries.length;
    count.textContent = String(entries.length);
    list.replaceChildren(...entries.map((entry, i) => row(entry, i + 1, history, again)));
    if (!inside) return; // what had the focus is gone
    const like = focused.classList.contains("again") ? "button.again" : ".forget";
    (list.querySelector(like) ?? document.querySelector("main")).focus();
  };
  history.listen(show);
  show();
  return section;
}

function row({ id, input, answer, time, values, version }, number, history, again) {
  const content = [
    element("bdi", { class: "asked" }, shortened(input) || "(empty)"),
    element("bdi", { class: "answered" }, shortened(answer)),
    element("time", { datetime: time }, `${clock(time)}, version ${version}`),
  ];
  const ask = { type: "button", class: "again", click: () => again(values) };
  return element(
    "li",
    {},
    values ? element("button", ask, ...content) : element("div", { class: "again" }, ...content),
    element(
      "button",
      {
        type: "button",
        class: "forget",
        "aria-label": `Delete number ${number} from the history`,
        click: () => history.remove(id),
      },
      "×",
    ),
  );
}

function shortened(text) {
  const characters = [...text];
  return characters.length > SHOWN ? `${characters.slice(0, SHOWN).join("")}…` : text;
}

function clock(time) {
  return new Date(time).toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" });
}
