// Learning a word from embeddings: the rule of `textapps speech add-word`.
//
// A clip is `{ embedding, top, others }`, as `seen` makes it; a row of the last layer is
// `{ kernel, bias }`: the logit of its word is kernel · embedding + bias.

import { dot, minimise } from "./minimise.js";

const OTHER_WORDS = "other words"; // as the signature `negatives` names their kind
const KINDS = [OTHER_WORDS, "commands", "silence"];
const FALSE_ACCEPTS = 0.02; // the share of clips of other words that a word may take at most
const SURE = 0.01; // the same of clips of commands, and of silence
const RIGIDITY = 0.001; // weight of a row's squared length beside the mean losses
const ROUNDING = 1e-4; // of logits in another order of sums
const FAR = -3; // a recording with a lower margin, in nats, is unlike the rest
const APART = 0.15; // and one of a command that has a smaller cosine to the rest is of that command

/** A clip with the largest of its logits, and the logarithm of their summed exponentials. */
export function seen({ embedding, logits, ...rest }, rows = []) {
  const vector = Float64Array.from(embedding);
  const all = [...logits, ...rows.map((row) => logit(row, vector))];
  const top = Math.max(...all);
  const others = top + Math.log(all.reduce((sum, one) => sum + Math.exp(one - top), 0));
  return { ...rest, embedding: vector, top, others };
}

export function logit({ kernel, bias }, embedding) {
  return dot(embedding, kernel) + bias;
}

/**
 * The row of a word: `{ kernel, bias, recognised, taken, unlike }`.
 *
 * `recordings` has of each one the versions, the first of which is the recording itself, and
 * `heard` the command that is surely heard in each, "" for none. `train` and `validation` are
 * clips of other words, with their `kind`. In the result, `recognised` counts the recordings that a
 * row of the others recognises, `taken` has of each kind how many clips of the validation split are
 * taken for the word, and of how many, and `unlike` lists recordings that are unlike the rest.
 * Throws if one is of a command, and the rest are not.
 */
export async function learnRow(recordings, heard, { train, validation }) {
  const whole = fitted(recordings.flat(), train);
  const margins = [];
  for (const [i, [recording]] of recordings.entries()) {
    const rest = recordings.filter((_, j) => j !== i).flat();
    const row = calibrated(fitted(rest, train, whole), train, validation);
    margins.push(margin(row, recording));
    await new Promise((resume) => setTimeout(resume)); // the page stays responsive
  }
  refuseCommands(recordings, heard, train, margins);
  const row = calibrated(whole, train, validation);
  const taken = KINDS.map((kind) => {
    const clips = validation.filter((clip) => clip.kind === kind);
    return { kind, taken: clips.filter((clip) => margin(row, clip) > 0).length, count: clips.length };
  });
  return {
    kernel: [...row.kernel],
    bias: row.bias,
    recognised: margins.filter((one) => one > 0).length,
    taken: taken.filter(({ count }) => count),
    unlike: margins.flatMap((one, i) => (one < FAR ? [i] : [])),
  };
}

/** How far the logit of the word is above the largest other one. */
function margin(row, clip) {
  return logit(row, clip.embedding) - clip.top;
}

/** The row with the least cross-entropy of "this word or not", in which both sides weigh the same. */
function fitted(positives, negatives, { kernel, bias } = { kernel: positives[0].embedding.map(() => 0), bias: 0 }) {
  const last = kernel.length;
  const loss = (values, gradient) => {
    gradient.fill(0);
    let total = 0;
    for (const [clips, sign] of [[positives, 1], [negatives, -1]]) {
      for (const { embedding, others } of clips) {
        const wrong = -sign * (dot(embedding, values) + values[last] - others);
        const push = -sign / clips.length / (1 + Math.exp(-wrong));
        total += (Math.max(wrong, 0) + Math.log1p(Math.exp(-Math.abs(wrong)))) / clips.length;
        for (let i = 0; i < last; i += 1) gradient[i] += push * embedding[i];
        gradient[last] += push;
      }
    }
    for (let i = 0; i < last; i += 1) {
      total += (RIGIDITY / 2) * values[i] ** 2;
      gradient[i] += RIGIDITY * values[i];
    }
    return total;
  };
  const found = minimise(loss, [...kernel, bias]);
  return { kernel: found.slice(0, last), bias: found[last] };
}

/** The same with the largest bias that takes no more of the negatives than may be. */
function calibrated(row, train, validation) {
  const thresholds = KINDS.map((kind) => {
    const clips = validation.filter((clip) => clip.kind === kind);
    if (kind === OTHER_WORDS) clips.push(...train.filter((clip) => clip.kind === kind));
    const share = kind === OTHER_WORDS ? FALSE_ACCEPTS : SURE;
    return thresholdAbove(clips.map((clip) => margin(row, clip)), share);
  });
  return { ...row, bias: row.bias - Math.max(...thresholds) - ROUNDING };
}

/** The least threshold that at most this share of the scores is above; -Infinity without scores. */
function thresholdAbove(scores, share) {
  if (!scores.length) return -Infinity;
  return scores.sort((a, b) => a - b)[scores.length - 1 - Math.trunc(share * scores.length)];
}

function refuseCommands(recordings, heard, train, margins) {
  const mean = train[0].embedding.map((_, i) => train.reduce((sum, clip) => sum + clip.embedding[i], 0) / train.length);
  const centred = recordings.map(([{ embedding }]) => unit(embedding.map((one, i) => one - mean[i])));
  centred.forEach((own, i) => {
    const alone = heard[i] && heard.filter((each) => each === heard[i]).length <= recordings.length / 2;
    const rest = own.map((_, k) => centred.reduce((sum, other, j) => (j === i ? sum : sum + other[k]), 0));
    if (alone && margins[i] < 0 && dot(own, unit(rest)) < APART) {
      throw new Error(`Recording ${i + 1} is heard as “${heard[i]}”, unlike the others: delete it, or record it again.`);
    }
  });
}

function unit(vector) {
  const length = Math.sqrt(dot(vector, vector));
  return vector.map((one) => one / length);
}
