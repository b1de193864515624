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

/** A change of probability in percentage points, with its sign. */
export function points(change) {
  if (!Number.isFinite(change)) return "–";
  const value = Math.abs(100 * change).toFixed(1);
  if (value === "0.0") return "0.0";
  return `${change < 0 ? "−" : "+"}${value}`;
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
