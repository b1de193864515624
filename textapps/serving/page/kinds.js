// What there is a panel for, by the signatures of a model.
//
// Each kind is a module with `title`, `what`, `fits(model)`, and
//   inputs(model, ask)    { elements, button, values(), fill(values), brief(values) }
//   answer(model, values, place, asking)    shows the answer; { summary, took?, rest? }
//   requests(model, values)    what `codebox` takes; null where there is nothing to show
//   rows(model)    how a file of rows is asked, null if it cannot be
//   above(values)    optional: what stands above the answers
//   section(model, inputs)    optional: { element, update() } that opens below them, or null
//   linkable    false if a link cannot carry the values

import * as generate from "./generate.js";
import * as sentiment from "./sentiment.js";
import * as signature from "./signature.js";
import * as speech from "./speech.js";
import * as translate from "./translate.js";

const KINDS = [sentiment, generate, translate, speech];

/** The kind for a model, that for any signature if there is no other. */
export function kindOf(model) {
  return KINDS.find(({ fits }) => fits(model)) ?? signature;
}

export { signature as anySignature };
