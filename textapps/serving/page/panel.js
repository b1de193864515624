// The panel of one model.

import { about, facts, figure } from "./about.js";
import { Desk } from "./desk.js";
import { element, identity, reveal } from "./dom.js";
import { anySignature, kindOf } from "./kinds.js";

/** The panel that fits a model's signatures; `element` and `link` are its parts of the page. */
export class Panel {
  #model;
  #place;
  #built = null; // the signatures for which #work was built
  #said = null; // the data from which #about was built
  #desks = [];
  #waiting = null; // values for the form that is still to be built
  #about = element("div");
  #what = element("p", { class: "what" });
  #kind = element("p", { class: "kind" });
  #facts = element("div");
  #work = element("div", { class: "work" });
  #version = element("span", { class: "version" });
  #note = element("span", { class: "note" });
  #figure = element("span", { class: "figure" });
  #heading;

  /** `place` has what all panels share: see Desk. */
  constructor(model, place) {
    this.#model = model;
    this.#place = place;
    const id = identity("model");
    const name = () => element("bdi", {}, model.name);
    this.#heading = element("h2", { id, tabindex: "-1" }, name());
    this.element = element(
      "section",
      { class: "panel", "aria-labelledby": id, hidden: true },
      element("header", {}, this.#kind, this.#heading, this.#facts, this.#what),
      this.#work,
      this.#about,
    );
    this.link = element(
      "a",
      { href: `#${encodeURIComponent(model.name)}` },
      element("span", { class: "name" }, name()),
      this.#version,
      this.#note,
      this.#figure,
    );
  }

  /** Show the model's current state. Input is kept if the model is asked in the same way. */
  update() {
    const model = this.#model;
    const known = JSON.stringify([model.reachable, model.versions, model.manifest]);
    const same = known === this.#said;
    this.#said = known;
    if (same) {
      for (const desk of this.#desks) desk.update(); // others may have come or gone
      return;
    }
    this.#about.replaceChildren(about(model));
    this.#facts.replaceChildren(...[facts(model.manifest)].filter(Boolean));
    const asked = JSON.stringify([model.signatures, model.manifest.options]);
    if (model.version !== null && asked !== this.#built) {
      this.#built = asked;
      this.#build();
    }
    for (const desk of this.#desks) desk.update();
    if (this.#built === null) this.#what.textContent = "No version is loaded.";
    this.#note.textContent = this.#trouble() ?? this.#kind.textContent;
    this.#figure.textContent = (model.version !== null && figure(model.manifest)) || "";
    this.link.classList.toggle("warned", this.#trouble() !== null);
    this.#version.textContent = model.version === null ? "" : `v${model.version}`;
  }

  show(shown) {
    this.element.hidden = !shown;
    if (shown) {
      this.link.setAttribute("aria-current", "page");
      reveal(this.link.parentElement);
    } else this.link.removeAttribute("aria-current");
  }

  /** Where "Skip to the model" goes. */
  focus() {
    this.#heading.focus();
  }

  /** Put the values of a link into the form. */
  fill(values) {
    if (!this.#desks.length) {
      this.#waiting = values;
      return;
    }
    const desk = "body" in values ? this.#desks.at(-1) : this.#desks[0];
    if (desk !== this.#desks[0]) this.#work.querySelector(".raw").open = true;
    desk.fill(values);
  }

  /** Why the newest version is not serving; null if it is. */
  #trouble() {
    if (!this.#model.reachable) return "not reachable";
    const [newest] = this.#model.versions;
    if (newest?.message) return `version ${newest.version} failed`;
    return this.#model.version === null ? "not loaded" : null;
  }

  #build() {
    const kind = kindOf(this.#model);
    this.#kind.textContent = kind.title;
    this.#what.textContent = kind.what;
    this.#desks = [new Desk(this.#model, kind, this.#place)];
    this.#work.replaceChildren(...this.#desks[0].parts);
    if (kind !== anySignature) {
      const desk = new Desk(this.#model, anySignature, { locked: this.#place.locked });
      this.#desks.push(desk);
      const raw = element("details", { class: "tool raw" }, element("summary", {}, "Send JSON"));
      raw.append(...desk.parts);
      this.#work.append(raw);
    }
    if (this.#waiting) this.fill(this.#waiting);
    this.#waiting = null;
  }
}
