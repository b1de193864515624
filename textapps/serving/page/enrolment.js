// From recordings to a word that a model knows: what is asked of the model, and what is refused.

import { count } from "./numbers.js";
import { learnRow, seen } from "./newword.js";
import { heardWith, ownWords } from "./ownwords.js";

export const FEWEST = 3;
export const ENOUGH = 5;
export const MOST = 10;
const SHORTEST_S = 0.1;
const LONGEST_S = 30; // as the model takes it
const QUIET = 1e-3; // the largest sample of a recording that is silence to any model: -60 dB
const SURELY = 0.8; // the probability with which a command is heard surely
const PART = 1000; // clips of other words in a request

/** The signatures that it takes. */
export const NEEDED = ["embed", "enrol", "negatives"];

/** Why a recording will not do, whatever is said in it; null if it may. */
export function fault(samples, rate_hz, others) {
  const seconds = samples.length / rate_hz;
  if (seconds < SHORTEST_S) return `Too short (${Math.round(1000 * seconds)} ms): say the whole word.`;
  if (seconds > LONGEST_S) return `Too long (${Math.round(seconds)} s): the limit is ${LONGEST_S} s.`;
  if (samples.every((one) => Math.abs(one) < QUIET)) return "Silence: is this the right microphone?";
  const same = others.findIndex(
    (other) => other.length === samples.length && other.every((one, i) => one === samples[i]),
  );
  return same < 0 ? null : `The same as recording ${same + 1}.`;
}

/** Throws if the model cannot have a further word of this name; `replaced` is one that it may have. */
export function checkName(word, model, replaced) {
  if (!word || /\p{C}/u.test(word)) throw new Error("Name the word: letters, as it is written.");
  if (["unknown", "silence"].includes(word)) {
    throw new Error(`“${word}” is the name of a class that is no word: choose another.`);
  }
  if (model.labels.includes(word)) throw new Error(`The model has the word “${word}” already: choose another.`);
  if (word !== replaced && ownWords.known(model).some((own) => own.word === word)) {
    throw new Error(`You have added “${word}” already: change it below, or choose another name.`);
  }
}

/**
 * Learns a word from `clips`, WAV files in base64, and returns what `ownWords` keeps of it.
 *
 * `replaced` is the word in whose place it comes, or null; `tell(words)` says how far it is. Throws
 * if a recording will not do.
 */
export async function learn(model, { word, clips, replaced }, asking, tell) {
  if (clips.length < FEWEST) {
    throw new Error(`${count(clips.length, "recording")} of “${word}”: it takes ${ENOUGH} to ${MOST}, at least ${FEWEST}.`);
  }
  const { version, labels } = model;
  const before = ownWords.known(model).filter((own) => ![word, replaced].includes(own.word));
  const asked = model.pinned(version); // all parts from the same version
  const recordings = [];
  const heard = [];
  for (const [number, clip] of clips.entries()) {
    tell(`Reading recording ${number + 1} of ${clips.length}…`);
    const row = { audio_bytes: { b64: clip }, number };
    const [found] = await asked.predict([row], "enrol", asking);
    const place = `Recording ${number + 1}`;
    if (found.error) throw new Error(`${place}: ${found.error}.`);
    const versions = found.embeddings.map((embedding, i) => ({ embedding, logits: found.logits[i] }));
    heard.push(command(heardWith(versions[0], labels, before), place, word));
    recordings.push(versions.map((each) => seen(each, before)));
  }
  tell("Loading clips of other words…");
  const negatives = await clipsOfOthers(asked, asking);
  const own = await Promise.all(before.map((each) => recordingsOf(asked, each, asking)));
  const others = [...negatives, ...own.flat()].filter((clip) => clip.word !== word);
  tell("Comparing…");
  const split = (name) => others.filter((clip) => clip.split === name).map((clip) => seen(clip, before));
  const row = await learnRow(recordings, heard, { train: split("train"), validation: split("validation") });
  const { kernel, bias } = row;
  return { model: model.name, version, word, kernel, bias, told: told(word, clips.length, row), clips };
}

/** The command that is surely heard, "" for none. Throws where no word is heard at all. */
function command({ label, probability }, place, word) {
  if (label === "silence" && probability >= 0.5) {
    throw new Error(`${place}: no word is heard in it. Say “${word}” nearer or louder, and record it again.`);
  }
  return probability >= SURELY && !["silence", "unknown"].includes(label) ? label : "";
}

let loaded = { of: null, clips: [] };

/** The clips of the model's own data that the signature `negatives` has. */
async function clipsOfOthers(model, asking) {
  const of = model.path;
  if (loaded.of === of) return loaded.clips;
  const clips = [];
  for (let part = null; !part || part.length === PART; ) {
    const numbers = Array.from({ length: PART }, (_, i) => ({ number: clips.length + i }));
    part = (await model.predict(numbers, "negatives", asking)).filter(({ kind }) => kind);
    clips.push(...part);
  }
  loaded = { of, clips };
  return clips;
}

/** The recordings of a word that was added before: commands that the next word may not take. */
async function recordingsOf(model, { word, clips }, asking) {
  const rows = clips.map((clip) => ({ audio_bytes: { b64: clip } }));
  const found = await model.predict(rows, "embed", asking);
  return found.map((each) => ({ ...each, kind: "commands", word, split: "train" }));
}

/** What is to be said of a word, in sentences. */
function told(word, recordings, { recognised, taken, unlike }) {
  const parts = taken.map(
    ({ kind, taken: some, count: all }) => `${some} of ${all} clips of ${kind} (${((100 * some) / all).toFixed(1)} %)`,
  );
  return [
    `${recognised} of ${recordings} recordings are recognised from the others alone.`,
    parts.length ? `Taken for “${word}” in the validation split: ${parts.join(", ")}.` : "",
    recordings < ENOUGH ? `With ${ENOUGH} to ${MOST} recordings it is recognised better.` : "",
    ...unlike.map((i) => `Recording ${i + 1} is unlike the others: listen to it, and delete it if another word is said.`),
  ].filter(Boolean);
}
