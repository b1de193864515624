"use strict";
const data = JSON.parse(document.getElementById("data").textContent);

for (const box of document.querySelectorAll(".links")) {
  const { run, key, link } = box.dataset;
  const { targets, rows } = data.runs[run].sections[key].links[link];
  const sources = [...box.querySelectorAll("pre.sources i")];
  const ends = targets === null ? sources : [...box.querySelectorAll("pre.targets i")];
  let at = Number(box.dataset.shown);

  function show(next) {
    ends[at].classList.remove("at");
    at = Math.max(0, Math.min(next, ends.length - 1));
    ends[at].classList.add("at");
    const [first, weights] = rows[at];
    sources.forEach((piece, place) => {
      piece.style.setProperty("--v", weights[place - first] ?? 0);
      piece.title = `${weights[place - first] ?? 0} %`;
    });
    box.querySelector(".status").textContent =
      `${ends[at].textContent.trim() || "blank"}, ${at + 1} of ${ends.length}`;
  }

  function pointed(event) {
    const place = ends.indexOf(event.target);
    if (place >= 0) show(place);
  }
  box.addEventListener("pointerover", pointed);
  box.addEventListener("click", pointed);
  box.addEventListener("keydown", (event) => {
    const steps = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -10, ArrowDown: 10 };
    if (!(event.key in steps)) return;
    event.preventDefault();
    show(at + steps[event.key]);
  });
  show(at);
}
