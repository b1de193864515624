// A place where a file is chosen or dropped.

import { element, identity } from "./dom.js";

/**
 * `accept` as HTML has it; `words` follow the bold ones; `choose(file)` gets the file, or with
 * `multiple` each one after the other.
 */
export function dropZone({ bold, words, accept, choose, multiple = false }) {
  const id = identity("file");
  const input = element("input", {
    type: "file",
    id,
    accept,
    multiple,
    class: "unseen",
    change: () => {
      take([...input.files]);
      input.value = ""; // so that the same file can be chosen again
    },
  });
  const take = async (files) => {
    for (const file of multiple ? files : files.slice(0, 1)) await choose(file);
  };
  const over = (event, on) => {
    event.preventDefault();
    zone.classList.toggle("over", on);
  };
  const zone = element(
    "label",
    {
      class: "drop",
      for: id,
      dragover: (event) => over(event, true),
      dragleave: (event) => over(event, false),
      drop: (event) => {
        over(event, false);
        take([...event.dataTransfer.files]);
      },
    },
    input,
    element("span", {}, element("b", {}, bold), words),
  );
  return zone;
}
