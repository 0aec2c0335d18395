
// ---- the settings of one arm against the baseline ----
if (embedded.armSettings) {
  const { arms, rows } = embedded.armSettings;
  const body = document.querySelector("#arm-settings tbody");
  const select = document.querySelector("#arm-settings select");
  const draw = () => {
    const wanted = select.value === "" ? rows.slice(0, 60) : rows.filter((row) => row[0] === Number(select.value));
    body.replaceChildren(...wanted.map(([arm, ...cells]) => {
      const line = document.createElement("tr");
      for (const text of [arms[arm], ...cells]) {
        const cell = line.appendChild(document.createElement("td"));
        cell.dir = "auto";
        cell.textContent = text;
      }
      return line;
    }));
  };
  fillWhenOpened(select, arms.length, () => arms.forEach((name, at) => select.add(new Option(name, String(at)))));
  select.addEventListener("change", draw);
  show("#arm-settings label");
}
