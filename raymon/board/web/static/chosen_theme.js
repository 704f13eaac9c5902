// Before the first paint: the theme that was chosen here earlier, so that nothing flashes.
(() => {
  let chosen = null;
  try {
    chosen = localStorage.getItem("raymon.theme");
  } catch {
    // Without storage the theme is that of the system.
  }
  if (chosen === "light" || chosen === "dark") document.documentElement.dataset.theme = chosen;
})();
