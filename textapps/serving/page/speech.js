// A spoken command, from the microphone or a file.

import { wordSection } from "./addword.js";
import { dropZone } from "./drop.js";
import { element } from "./dom.js";
import { showMattered } from "./mattered.js";
import { percent } from "./numbers.js";
import { heardWith, ownWords } from "./ownwords.js";
import { pictures } from "./pictures.js";
import { recorder } from "./recorder.js";
import { bars, verdict } from "./scores.js";
import { readSound } from "./sound.js";
import { base64, bytesOf, wavBytes } from "./wav.js";

export const title = "Speech recogniser";
export const what = "Record a command, or drop a recording.";
export const linkable = false; // a link would be as long as the recording

const LIMIT_S = 10;

export function fits({ signatures: { serving_default: signature } }) {
  if (!signature) return false;
  return Object.keys(signature.inputs).join() === "audio_bytes" && "scores" in signature.outputs;
}

export function inputs(model, ask) {
  const rate_hz = () => model.manifest.sample_rate_hz ?? 16_000; // a new version may have another
  let sound = null;

  const take = (read) => {
    const rate = rate_hz();
    sound = read(rate).then((samples) => ({ samples, rate }));
    sound.catch(() => {}); // told where it is awaited
  };
  const recognise = (read) => {
    take(read);
    return ask();
  };
  const made = {
    elements: [],
    button: null,
    failed: () => {}, // replaced by the desk, which shows errors
    async values() {
      const { samples, rate } = await sound;
      return { samples, rate, audio_bytes: base64(wavBytes(samples, rate)) };
    },
    async fill({ audio_bytes }) {
      const file = new File([bytesOf(audio_bytes)], "the recording");
      take((rate) => readSound(file, rate));
      await sound;
    },
    brief: ({ samples, rate }) => `Recording of ${(samples.length / rate).toFixed(2)} s`,
  };
  const [button, dialog] = recorder({
    label: "Record",
    stop: "Stop and recognise",
    limit_s: LIMIT_S,
    ended: (recording) => recognise((rate) => recording.end(rate)),
    failed: (error) => made.failed(error),
  });
  made.record = () => button.click();
  const zone = dropZone({
    bold: "Choose an audio file",
    words: " or drop one here",
    accept: "audio/*,.wav,.flac",
    choose: (file) => recognise((rate) => readSound(file, rate)),
  });
  made.elements = [element("div", { class: "sources" }, button, zone), dialog];
  return made;
}

/** What opens below the answer: adding a word, null if the model cannot learn any. */
export function section(model, { record }) {
  return wordSection(model, record);
}

/** Waveform, spectrogram and player of the clip. */
export function above({ samples, rate, audio_bytes }) {
  return element("div", { class: "clip" }, pictures(samples, rate), player(bytesOf(audio_bytes)));
}

/** What history keeps. */
export function kept({ audio_bytes }) {
  return { audio_bytes };
}

export async function answer(model, values, place, asking) {
  const words = ownWords.known(model);
  const clip = { audio_bytes: { b64: values.audio_bytes } };
  const [found] = await model.predict([clip], words.length ? "embed" : "serving_default", asking);
  if (found.error) throw new Error(`The model cannot use this clip: ${found.error}`);
  const heard = words.length ? heardWith(found, model.labels, words) : { ...found, labels: model.labels };
  const mattered = element("div", { class: "carried" });
  place.replaceChildren(verdict(heard), bars(heard.labels, heard.scores), mattered);
  const explained = model.has("explain") && !words.some(({ word }) => word === heard.label);
  return {
    summary: `${heard.label}, ${percent(heard.probability)}`,
    rest: () => explained && showMattered(mattered, model, values, asking),
  };
}

export function requests() {
  return [{ name: "predict", action: "predict", clip: true, body: null }];
}

export function rows() {
  return null;
}

let playing = null;

function player(bytes) {
  URL.revokeObjectURL(playing);
  playing = URL.createObjectURL(new Blob([bytes], { type: "audio/wav" }));
  return element(
    "div",
    { class: "player" },
    element("audio", { controls: true, src: playing, "aria-label": "The clip" }),
    element("a", { href: playing, download: "clip.wav" }, "Download clip.wav"),
  );
}
