// The least value of a smooth convex function: L-BFGS (Liu and Nocedal 1989).

const STEPS = 500;
const PAST = 10; // steps that the curvature is estimated from
const FLAT = 1e-6; // the largest part of a gradient that is none

/** Where `loss(x, gradient)`, which returns the value and fills in the gradient, is least. */
export function minimise(loss, start) {
  let x = Float64Array.from(start);
  let gradient = new Float64Array(x.length);
  let value = loss(x, gradient);
  const past = [];
  for (let step = 0; step < STEPS && gradient.some((one) => Math.abs(one) > FLAT); step += 1) {
    const way = descent(gradient, past);
    const slope = dot(way, gradient);
    const next = { x: null, gradient: new Float64Array(x.length), value: Infinity };
    let length = past.length ? 1 : Math.min(1, 1 / Math.sqrt(dot(gradient, gradient)));
    for (; length > 1e-12; length /= 2) {
      next.x = x.map((one, i) => one + length * way[i]);
      next.value = loss(next.x, next.gradient);
      if (next.value <= value + 1e-4 * length * slope) break;
    }
    if (!(next.value < value)) break; // as low as rounding lets it be
    const moved = next.x.map((one, i) => one - x[i]);
    const turned = next.gradient.map((one, i) => one - gradient[i]);
    const curvature = dot(moved, turned);
    if (curvature > 0) past.push({ moved, turned, curvature });
    if (past.length > PAST) past.shift();
    ({ x, gradient, value } = next);
  }
  return x;
}

/** The direction of the next step: minus the gradient times the estimated inverse Hessian. */
function descent(gradient, past) {
  const way = gradient.map((one) => -one);
  const shares = [];
  for (const { moved, turned, curvature } of [...past].reverse()) {
    const share = dot(moved, way) / curvature;
    shares.unshift(share);
    add(way, -share, turned);
  }
  const last = past.at(-1);
  const scale = last ? last.curvature / dot(last.turned, last.turned) : 1;
  for (let i = 0; i < way.length; i += 1) way[i] *= scale;
  past.forEach(({ moved, turned, curvature }, i) => {
    add(way, shares[i] - dot(turned, way) / curvature, moved);
  });
  return way;
}

function add(to, times, what) {
  for (let i = 0; i < to.length; i += 1) to[i] += times * what[i];
}

export function dot(a, b) {
  let sum = 0;
  for (let i = 0; i < a.length; i += 1) sum += a[i] * b[i];
  return sum;
}
