// A place where a file is chosen or dropped.

import { element, identity } from "./dom.js";

/** `accept` as HTML has it; `words` follow the bold ones; `choose(file)` gets each file. */
export function dropZone({ bold, words, accept, choose }) {
  const id = identity("file");
  const input = element("input", {
    type: "file",
    id,
    accept,
    class: "unseen",
    change: () => {
      if (input.files.length) choose(input.files[0]);
      input.value = ""; // so that the same file can be chosen again
    },
  });
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
        if (event.dataTransfer.files.length) choose(event.dataTransfer.files[0]);
      },
    },
    input,
    element("span", {}, element("b", {}, bold), words),
  );
  return zone;
}
