// Numbers in words.

/** A share of one as a percentage that does not say 100 or 0 where it is not. */
export function percent(share) {
  if (!Number.isFinite(share)) return "–";
  if (share < 1 && share > 0.9995) return "> 99.9 %";
  if (share > 0 && share < 0.0005) return "< 0.1 %";
  return `${(100 * share).toFixed(1)} %`;
}

/** A share of one as a length for the style of a bar. */
export function length(share) {
  return Number.isFinite(share) ? String(Math.max(0, Math.min(1, share))) : "0";
}

/** A share of one, with its sign, in whole per cents where it has ten or more. */
export function signed(share) {
  if (!Number.isFinite(share)) return "–";
  const value = Math.abs(100 * share);
  const text = value < 9.95 ? value.toFixed(1) : value.toFixed(0);
  return `${Number(text) === 0 ? "" : share < 0 ? "−" : "+"}${text} %`;
}

/** "1 character", "20 characters". */
export function count(number, noun) {
  return `${whole(number)} ${noun}${number === 1 ? "" : "s"}`;
}

/** A whole number in groups of three digits. */
export function whole(number) {
  return Math.round(number).toLocaleString("en-GB").replaceAll(",", "\u202f");
}

/** How long it took. */
export function duration(ms) {
  return ms < 995 ? `${Math.max(1, Math.round(ms))} ms` : `${(ms / 1000).toFixed(1)} s`;
}
