// The code of a request, in the language that one chooses.

import { code } from "./code.js";
import { copyButton } from "./copy.js";
import { element, fitted } from "./dom.js";

const LANGUAGE = "textapps-language";

/**
 * A section that opens. `requests` are what the same question can be sent as: `{ name, body, … }`
 * as `code` takes it; with more than one, the user chooses by name.
 */
export function codebox(requests) {
  const made = new Map(requests.map(({ name, ...request }) => [name, code(request)]));
  const languages = Object.keys([...made.values()][0]);
  const shown = element("code");
  const buttons = languages.map((language) =>
    element("button", { type: "button", class: "choice", click: () => choose(language) }, language),
  );
  const kinds = element("select", { "aria-label": "Request", change: () => show() });
  kinds.append(...[...made.keys()].map((name) => element("option", { value: name }, name)));
  let chosen = languages.includes(remembered()) ? remembered() : languages[0];

  function show() {
    shown.textContent = made.get(kinds.value)[chosen];
    for (const button of buttons) {
      button.setAttribute("aria-pressed", String(button.textContent === chosen));
    }
  }

  function choose(language) {
    chosen = language;
    try {
      sessionStorage.setItem(LANGUAGE, language);
    } catch {
      // Storage can be forbidden; then the choice lasts for this answer.
    }
    show();
  }

  show();
  return element(
    "details",
    { class: "codebox" },
    element("summary", {}, "Code for this request"),
    element(
      "div",
      { class: "bar-of-choices" },
      element("div", { class: "choices", role: "group", "aria-label": "Language" }, ...buttons),
      made.size > 1 ? kinds : null,
      copyButton("Copy", () => shown.textContent),
    ),
    fitted(element("pre", { tabindex: "0", role: "region", "aria-label": "Code" }, shown)),
  );
}

function remembered() {
  try {
    return sessionStorage.getItem(LANGUAGE);
  } catch {
    return null;
  }
}
