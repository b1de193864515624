// The recordings of a word that is to be added: making, hearing and deleting them.

import { element } from "./dom.js";
import { dropZone } from "./drop.js";
import { fault, MOST } from "./enrolment.js";
import { waveform } from "./pictures.js";
import { recorder } from "./recorder.js";
import { readSound } from "./sound.js";
import { base64, bytesOf, wavBytes } from "./wav.js";

const LIMIT_S = 3; // of a word; the dialog then closes by itself

/** `rate_hz()` is the rate of the model, `failed(error)` shows an error, `changed()` is told of changes. */
export class Takes {
  #takes = []; // { samples, clip, fault }
  #rate_hz;
  #failed;
  #changed;
  #list = element("ol", { class: "takes", "aria-label": "Recordings" });
  #button;
  #playing = null;

  constructor(rate_hz, failed, changed) {
    this.#rate_hz = rate_hz;
    this.#failed = failed;
    this.#changed = changed;
    const [button, dialog] = recorder({
      label: "Record the word",
      title: () => `Recording ${this.#takes.length + 1}`,
      stop: "Keep and close",
      next: "Keep, and record the next",
      limit_s: LIMIT_S,
      room: () => this.#takes.length + 1 < MOST,
      ended: (recording) => this.#take(recording.end(rate_hz())),
      failed,
    });
    this.#button = button;
    const zone = dropZone({
      bold: "Choose audio files",
      words: " or drop them here",
      accept: "audio/*,.wav,.flac",
      multiple: true,
      choose: (file) => this.#take(readSound(file, rate_hz())),
    });
    this.elements = [element("div", { class: "sources" }, button, zone), dialog, this.#list];
  }

  /** Each recording as a WAV file in base64. */
  get clips() {
    return this.#takes.map(({ clip }) => clip);
  }

  /** Throws if one of them will not do. */
  check() {
    const place = this.#takes.findIndex((take) => take.fault);
    if (place < 0) return;
    throw new Error(`Recording ${place + 1}: ${this.#takes[place].fault} Delete it, and record it again.`);
  }

  /** Take these recordings instead, WAV files in base64. */
  async fill(clips) {
    this.#takes = [];
    this.#show();
    for (const clip of clips) {
      const file = new File([bytesOf(clip)], "the recording");
      await this.#take(readSound(file, this.#rate_hz()), clip);
    }
  }

  async #take(reading, clip = null) {
    try {
      const samples = await reading;
      if (this.#takes.length >= MOST) {
        throw new Error(`${MOST} recordings are enough: delete one before you add another.`);
      }
      clip ??= base64(wavBytes(samples, this.#rate_hz()));
      this.#takes.push({ samples, clip, fault: this.#faultOf(samples, this.#takes) });
    } catch (error) {
      this.#failed(error);
      return;
    }
    this.#show();
  }

  /** Why samples will not do after these other recordings, null if they do. */
  #faultOf(samples, before) {
    return fault(samples, this.#rate_hz(), before.map((take) => take.samples));
  }

  #show() {
    this.#button.disabled = this.#takes.length >= MOST;
    this.#list.replaceChildren(...this.#takes.map((take, i) => this.#row(take, i)));
    this.#changed();
  }

  #row(take, i) {
    const seconds = (take.samples.length / this.#rate_hz()).toFixed(2);
    return element(
      "li",
      {},
      element("span", { class: "number" }, String(i + 1)),
      waveform(take.samples),
      element("span", { class: "seconds" }, `${seconds} s`),
      element(
        "button",
        { type: "button", class: "quiet", "aria-label": `Play recording ${i + 1}`, click: () => this.#play(take) },
        "Play",
      ),
      element(
        "button",
        { type: "button", class: "forget", "aria-label": `Delete recording ${i + 1}`, click: () => this.#remove(take, i) },
        "×",
      ),
      take.fault ? element("p", { class: "error" }, take.fault) : null,
    );
  }

  #play({ clip }) {
    this.#playing?.pause();
    const url = URL.createObjectURL(new Blob([bytesOf(clip)], { type: "audio/wav" }));
    this.#playing = new Audio(url);
    this.#playing.addEventListener("ended", () => URL.revokeObjectURL(url), { once: true });
    this.#playing.play().catch(this.#failed);
  }

  #remove(take, i) {
    const left = this.#takes.filter((other) => other !== take);
    // What was a copy of it is none any more.
    this.#takes = left.map((each, k) => ({ ...each, fault: this.#faultOf(each.samples, left.slice(0, k)) }));
    this.#show();
    const next = this.#list.children[Math.min(i, left.length - 1)]?.querySelector(".forget");
    (next ?? this.#button).focus();
  }
}
