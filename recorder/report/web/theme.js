// Light and dark: the system's choice until another is made

const dark = matchMedia("(prefers-color-scheme: dark)");

function isDark() {
  const chosenTheme = document.documentElement.dataset.theme;
  return chosenTheme ? chosenTheme === "dark" : dark.matches;
}

function nameTheme() {
  byId("theme").textContent = isDark() ? "☀ Light" : "☾ Dark";
}

function startTheme() {
  nameTheme();
  byId("theme").addEventListener("click", () => {
    document.documentElement.dataset.theme = isDark() ? "light" : "dark";
    nameTheme();
  });
  dark.addEventListener("change", nameTheme);
}
