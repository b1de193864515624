// The words that were added in this tab: kept over a reload, forgotten with the tab.

import { logit } from "./newword.js";

const KEY = "textapps-words";
const CLASSES = ["unknown", "silence"]; // labels that are no commands

/** Words, each `{ model, version, word, kernel, bias, told, clips }`, the oldest first. */
class OwnWords {
  #entries = [];
  #listeners = new Set();
  /** Whether they could be kept; storage can be forbidden or full. */
  kept = true;

  constructor() {
    try {
      const stored = JSON.parse(sessionStorage.getItem(KEY) ?? "[]");
      if (Array.isArray(stored)) this.#entries = stored;
    } catch {
      // It holds what somebody else wrote.
    }
  }

  listen(changed) {
    this.#listeners.add(changed);
  }

  /** Those that were added to a model of this name, in whatever version. */
  of({ name }) {
    return this.#entries.filter((entry) => entry.model === name);
  }

  /** Those that the version in service has learned. */
  known(model) {
    return this.of(model).filter((entry) => entry.version === model.version);
  }

  /** Adds a word, in the place of one of the same name and of the one that is `replaced`. */
  add(entry, replaced = null) {
    const others = this.#entries.filter((each) => each.model !== entry.model || ![entry.word, replaced].includes(each.word));
    this.#change([...others, entry]);
  }

  remove(entry) {
    this.#change(this.#entries.filter((each) => each !== entry));
  }

  #change(entries) {
    this.#entries = entries;
    try {
      sessionStorage.setItem(KEY, JSON.stringify(entries));
      this.kept = true;
    } catch {
      this.kept = false;
    }
    for (const changed of this.#listeners) changed();
  }
}

export const ownWords = new OwnWords();

/**
 * What the signature `embed` says of a clip, with further words after the other commands, as
 * `add-word` puts them: `{ label, probability, scores, labels }`.
 */
export function heardWith({ embedding, logits }, labels, words) {
  const place = labels.findIndex((label) => CLASSES.includes(label));
  const among = (all, further) => [...all.slice(0, place), ...further, ...all.slice(place)];
  const all = among(logits, words.map((word) => logit(word, embedding)));
  const named = among(labels, words.map(({ word }) => word));
  const top = Math.max(...all);
  const shares = all.map((one) => Math.exp(one - top));
  const sum = shares.reduce((a, b) => a + b);
  const scores = shares.map((one) => one / sum);
  const best = all.indexOf(top);
  return { label: named[best], probability: scores[best], scores, labels: named };
}
