// The common part of all panels: input fields, a button, and the result below.

import { element } from "./dom.js";
import { duration } from "./numbers.js";

/** A form and its result. One request runs at a time; a new one aborts the previous one. */
export class Question {
  #run;
  #controller = null;
  #error = element("p", { class: "error", role: "alert" });
  #status = element("p", { class: "took" });
  #spoken = element("p", { class: "unseen", role: "status" });
  #stop = element("button", { type: "button", hidden: true, click: () => this.stop() }, "Stop");

  /**
   * `run(signal)` sends the request and shows the result; its errors are shown. It may return a
   * closing message; the default is the time taken. `extras` appear next to the optional button.
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

  /** Announce the result to screen readers. */
  say(words) {
    this.#spoken.textContent = words;
  }

  /** Show an error. */
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
      this.form.querySelector("button").focus(); // the hidden stop button had the focus
    }
  }

  #onKey(event) {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      this.form.requestSubmit();
    } else if (event.key === "Escape") this.stop();
  }
}
