// The panel of one model.

import { about } from "./about.js";
import { element, identity } from "./dom.js";
import * as generate from "./generate.js";
import * as request from "./request.js";
import * as sentiment from "./sentiment.js";
import * as speech from "./speech.js";
import * as translate from "./translate.js";

const KINDS = [sentiment, generate, translate, speech];

/** The panel that fits a model's signatures; `element` and `link` are its parts of the page. */
export class Panel {
  #model;
  #built = null; // the signatures for which #work was built
  #said = null; // the data from which #about was built
  #about = element("div");
  #what = element("p", { class: "what" });
  #kind = element("p", { class: "kind" });
  #work = element("div", { class: "work" });
  #version = element("span", { class: "version" });
  #note = element("span", { class: "note" });

  constructor(model) {
    this.#model = model;
    const id = identity("model");
    this.element = element(
      "section",
      { class: "panel", "aria-labelledby": id, hidden: true },
      element("header", {}, this.#kind, element("h2", { id }, model.name), this.#what),
      this.#work,
      this.#about,
    );
    this.link = element(
      "a",
      { href: `#${encodeURIComponent(model.name)}` },
      element("span", { class: "name" }, model.name),
      this.#version,
      this.#note,
    );
  }

  /** Show the model's current state. Input is kept if the signatures are unchanged. */
  update() {
    const model = this.#model;
    const known = JSON.stringify([model.versions, model.manifest]);
    if (known === this.#said) return;
    this.#said = known;
    this.#about.replaceChildren(about(model));
    const signatures = JSON.stringify(model.signatures);
    if (model.version !== null && signatures !== this.#built) {
      this.#built = signatures;
      this.#build();
    }
    if (this.#built === null) this.#what.textContent = "No version is loaded.";
    this.#note.textContent = this.#trouble() ?? this.#kind.textContent;
    this.link.classList.toggle("warned", this.#trouble() !== null);
    this.#version.textContent = model.version === null ? "" : `v${model.version}`;
  }

  show(shown) {
    this.element.hidden = !shown;
    if (shown) {
      this.link.setAttribute("aria-current", "page");
      this.link.parentElement.scrollIntoView({ block: "nearest", inline: "nearest" });
    } else this.link.removeAttribute("aria-current");
  }

  /** Why the newest version is not serving; null if it is. */
  #trouble() {
    const [newest] = this.#model.versions;
    if (newest?.message) return `version ${newest.version} failed`;
    return this.#model.version === null ? "not loaded" : null;
  }

  #build() {
    const kind = KINDS.find(({ fits }) => fits(this.#model)) ?? request;
    this.#kind.textContent = kind.title;
    this.#what.textContent = kind.what;
    this.#work.replaceChildren(...kind.build(this.#model));
    if (kind === request) return;
    const raw = element("details", { class: "raw" }, element("summary", {}, "Send JSON"));
    raw.append(...request.build(this.#model));
    this.#work.append(raw);
  }
}
