// What was asked in this tab, kept over a reload and forgotten with the tab.

const KEY = "textapps-history";
const MOST = 50; // questions
const LONGEST = 200_000; // characters of a question, such as a recording

/** The questions of a tab, newest first; `changed` is told after each change. */
export class History {
  #entries = [];
  #listeners = new Set();

  constructor() {
    try {
      const kept = JSON.parse(sessionStorage.getItem(KEY) ?? "[]");
      if (Array.isArray(kept)) this.#entries = kept;
    } catch {
      // Storage can be forbidden, or hold what somebody else wrote.
    }
  }

  listen(changed) {
    this.#listeners.add(changed);
  }

  /** Those to a model: `{ id, model, version, values, input, answer, time }`. */
  of(model) {
    return this.#entries.filter((entry) => entry.model === model);
  }

  /** Keep a question; values that are too large are left out. */
  add({ values, ...entry }) {
    const small = JSON.stringify(values).length <= LONGEST;
    const made = { ...entry, values: small ? values : null, id: crypto.getRandomValues(new Uint32Array(1))[0] };
    this.#entries = [made, ...this.#entries].slice(0, MOST);
    this.#keep();
  }

  remove(id) {
    this.#entries = this.#entries.filter((entry) => entry.id !== id);
    this.#keep();
  }

  /** Forget those to a model. */
  clear(model) {
    this.#entries = this.#entries.filter((entry) => entry.model !== model);
    this.#keep();
  }

  /** Where storage is full, the oldest go. */
  #keep() {
    for (;;) {
      try {
        sessionStorage.setItem(KEY, JSON.stringify(this.#entries));
        break;
      } catch {
        if (!this.#entries.length) break;
        this.#entries = this.#entries.slice(0, -1);
      }
    }
    for (const changed of this.#listeners) changed();
  }
}
