// What every panel has: something to fill in, a button, and an answer below.

import { element } from "./dom.js";
import { duration } from "./numbers.js";

/** A form and its answer. One request runs at a time: a new one ends the one before. */
export class Question {
  #run;
  #controller = null;
  #error = element("p", { class: "error", role: "alert" });
  #status = element("p", { class: "took" });
  #spoken = element("p", { class: "unseen", role: "status" });
  #stop = element("button", { type: "button", hidden: true, click: () => this.stop() }, "Stop");

  /**
   * `run(signal)` asks and shows; what it throws is said. It may return words to close with,
   * else the time is said. `extras` stand beside the button, which may be left out.
   */
  constructor({ fields, answer, run, button = null, extras = [] }) {
    this.#run = run;
    this.answer = answer;
    this.form = element(
      "form",
      {
        class: "question",
        submit: (event) => {
          event.preventDefault();
          this.ask();
        },
        keydown: (event) => this.#onKey(event),
      },
      ...fields,
      element(
        "div",
        { class: "actions" },
        button && element("button", { class: "primary", type: "submit" }, button),
        this.#stop,
        ...extras,
        button && element("span", { class: "keys", "aria-hidden": "true" }, "Ctrl + Enter"),
        this.#status,
      ),
      this.#error,
      this.#spoken,
    );
    this.parts = [this.form, answer];
  }

  stop() {
    this.#controller?.abort();
  }

  /** Tell a screen reader, whose user does not see the answer appear. */
  say(words) {
    this.#spoken.textContent = words;
  }

  /** Show what went wrong. */
  fail(error) {
    this.#error.textContent = error.message;
  }

  async ask() {
    this.stop();
    const controller = new AbortController();
    this.#controller = controller;
    const begin = performance.now();
    this.#busy(true);
    this.#error.textContent = "";
    this.say("");
    this.#status.textContent = "";
    let closing = null;
    try {
      closing = (await this.#run(controller.signal)) ?? duration(performance.now() - begin);
    } catch (error) {
      if (this.#controller !== controller) return;
      if (controller.signal.aborted) closing = "stopped";
      else this.fail(error);
    }
    if (this.#controller !== controller) return;
    this.#busy(false);
    this.#status.textContent = closing ?? "";
  }

  #busy(busy) {
    this.#stop.hidden = !busy;
    this.answer.setAttribute("aria-busy", String(busy));
    if (!busy && document.activeElement === document.body) {
      this.form.querySelector("button").focus(); // the stop button had it and is gone
    }
  }

  #onKey(event) {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      this.form.requestSubmit();
    } else if (event.key === "Escape") this.stop();
  }
}
