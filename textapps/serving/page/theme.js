// Not a module: it runs before the first paint, so that the page never flashes in the other theme.
(() => {
  const root = document.documentElement;
  const dark = matchMedia("(prefers-color-scheme: dark)");
  let chosen = null;
  try {
    chosen = localStorage.getItem("textapps-theme");
  } catch {
    // Storage can be forbidden; then the choice lasts as long as the page.
  }

  const current = () => chosen ?? (dark.matches ? "dark" : "light");

  function apply() {
    if (chosen) root.dataset.theme = chosen;
    const button = document.getElementById("theme");
    if (!button) return;
    const other = current() === "dark" ? "Light" : "Dark";
    button.textContent = other;
    button.setAttribute("aria-label", `${other} colours`);
  }

  apply();
  dark.addEventListener("change", apply);
  document.addEventListener("DOMContentLoaded", () => {
    document.getElementById("theme").addEventListener("click", () => {
      chosen = current() === "dark" ? "light" : "dark";
      try {
        localStorage.setItem("textapps-theme", chosen);
      } catch {
        // As above.
      }
      apply();
    });
    apply();
  });
})();
